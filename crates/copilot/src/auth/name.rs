//! Names that people give: to themselves, their organisation, a project, a key.

/// Most characters of a name.
pub(super) const MAX: usize = 200;

/// The rule for a body's field: not blank, not too long, no control characters.
pub(super) fn rule(text: &str, _: &()) -> garde::Result {
    if text.trim().is_empty() {
        return Err(garde::Error::new("must not be blank"));
    }
    if text.chars().count() > MAX {
        return Err(garde::Error::new(format!("must have at most {MAX} characters")));
    }
    if text.chars().any(char::is_control) {
        return Err(garde::Error::new("must not hold control characters"));
    }
    Ok(())
}

/// As [`rule`], for a field that may be missing.
pub(super) fn optional(text: &Option<String>, context: &()) -> garde::Result {
    text.as_deref().map_or(Ok(()), |text| rule(text, context))
}
