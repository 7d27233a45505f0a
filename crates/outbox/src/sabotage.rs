//! Faults on purpose, in debug builds alone: points where a process dies or fails, and builds broken in one named way.
//!
//! A promise is tested by a driver outside of the product that kills it at every step, and the test counts only if it
//! turns red on a product that breaks the promise. Both are switched on by the environment of one process. A release
//! build contains neither, and refuses to start when one is asked for.

/// Names the points that act: `POINT=ACTION` with the passes `@N` (the Nth alone) or `*N` (every Nth), several of
/// them separated by `;`. An action is `kill` (SIGKILL to itself), `abort`, `panic`, `error` (as if the database
/// had failed) or `sleep:MILLISECONDS`.
pub const FAULT: &str = "SRE_COPILOT_FAULT";

/// Names how the product is broken, several separated by `;`.
pub const BROKEN: &str = "SRE_COPILOT_BROKEN";

/// By how much leases, limits of calls and pauses are shorter than they are: a whole number.
pub const HURRY: &str = "SRE_COPILOT_HURRY";

pub use inner::{broken, check, hurried, numbered, point};

#[cfg(not(debug_assertions))]
mod inner {
    use std::time::Duration;

    use super::{BROKEN, FAULT, HURRY};

    /// A release build takes its time.
    #[inline(always)]
    pub const fn hurried(time: Duration) -> Duration {
        time
    }

    /// A release build numbers events by their streams.
    #[inline(always)]
    pub const fn numbered(last: i64, _count: i64) -> i64 {
        last
    }

    /// Does nothing in a release build.
    ///
    /// # Errors
    /// Never.
    #[inline(always)]
    pub async fn point(_name: &'static str) -> sqlx::Result<()> {
        Ok(())
    }

    /// A release build is never broken on purpose.
    #[inline(always)]
    pub const fn broken(_name: &'static str) -> bool {
        false
    }

    /// Whether this build can do what the environment asks of it.
    ///
    /// # Errors
    /// When faults are asked for.
    pub fn check() -> Result<(), String> {
        match [FAULT, BROKEN, HURRY].into_iter().find(|name| std::env::var_os(name).is_some()) {
            Some(name) => {
                Err(format!("{name} is set, and a release build has no faults on purpose; unset it"))
            }
            None => Ok(()),
        }
    }
}

#[cfg(debug_assertions)]
mod inner {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
    use std::time::Duration;

    use super::{BROKEN, FAULT, HURRY};

    static RULES: OnceLock<Result<Vec<Rule>, String>> = OnceLock::new();
    static WAYS: OnceLock<Vec<String>> = OnceLock::new();
    static DIVISOR: OnceLock<u32> = OnceLock::new();
    static SEQUENCE: AtomicI64 = AtomicI64::new(0);

    /// What happens at a point, and on which passes.
    #[derive(Debug)]
    struct Rule {
        point: String,
        action: Action,
        passes: Passes,
        passed: AtomicU64,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Action {
        Kill,
        Abort,
        Panic,
        Error,
        Sleep(Duration),
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Passes {
        All,
        Only(u64),
        Every(u64),
    }

    /// Does at `name` what [`FAULT`] says, as a rule nothing.
    ///
    /// # Errors
    /// When the action is `error`.
    pub async fn point(name: &'static str) -> sqlx::Result<()> {
        let Ok(rules) = rules() else { return Ok(()) };
        for rule in rules.iter().filter(|rule| rule.point == name) {
            let pass = rule.passed.fetch_add(1, Ordering::SeqCst) + 1;
            if rule.passes.contain(pass) {
                act(name, rule.action).await?;
            }
        }
        Ok(())
    }

    /// `last`, or where it is broken so, the last of `count` numbers of a sequence that a roll-back does not take back.
    pub fn numbered(last: i64, count: i64) -> i64 {
        if !broken("plain-sequence") {
            return last;
        }
        let taken = SEQUENCE.fetch_max(last - count, Ordering::SeqCst).max(last - count);
        SEQUENCE.fetch_max(taken + count, Ordering::SeqCst);
        taken + count
    }

    /// `time`, or the part of it that [`HURRY`] asks for.
    pub fn hurried(time: Duration) -> Duration {
        let read = || std::env::var(HURRY).ok().and_then(|text| text.parse().ok()).filter(|by| *by > 0);
        time / *DIVISOR.get_or_init(|| read().unwrap_or(1))
    }

    /// Whether the product is broken in the way `name`.
    pub fn broken(name: &'static str) -> bool {
        WAYS.get_or_init(|| split(BROKEN)).iter().any(|way| way == name)
    }

    /// Whether what the environment asks for can be read.
    ///
    /// # Errors
    /// When it can't.
    pub fn check() -> Result<(), String> {
        if broken("") {
            return Err(format!("{BROKEN} holds an empty name"));
        }
        rules().map(drop).map_err(Clone::clone)
    }

    fn rules() -> Result<&'static [Rule], &'static String> {
        let parse = || split(FAULT).iter().map(|text| text.parse()).collect();
        RULES.get_or_init(parse).as_deref()
    }

    fn split(variable: &str) -> Vec<String> {
        let text = std::env::var(variable).unwrap_or_default();
        text.split_terminator(';').map(|part| part.trim().to_owned()).collect()
    }

    #[expect(clippy::panic, reason = "a panic is what was asked for")]
    async fn act(name: &str, action: Action) -> sqlx::Result<()> {
        // The driver looks for this line, so that a point that was never reached is not taken for a fault survived.
        eprintln!("fault at {name}: {action:?}");
        match action {
            Action::Kill => {
                let killed =
                    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
                killed.map_err(|error| sqlx::Error::Io(error.into()))?;
                std::future::pending().await
            }
            Action::Abort => std::process::abort(),
            Action::Panic => panic!("fault at {name}"),
            Action::Error => Err(sqlx::Error::Io(std::io::Error::other(format!("fault at {name}")))),
            Action::Sleep(time) => {
                tokio::time::sleep(time).await;
                Ok(())
            }
        }
    }

    impl Passes {
        fn contain(self, pass: u64) -> bool {
            match self {
                Self::All => true,
                Self::Only(one) => pass == one,
                Self::Every(step) => pass.is_multiple_of(step),
            }
        }
    }

    impl std::str::FromStr for Rule {
        type Err = String;

        fn from_str(text: &str) -> Result<Self, String> {
            let wrong = || format!("{FAULT}: `{text}` is not POINT=ACTION, POINT=ACTION@N or POINT=ACTION*N");
            let count = |digits: &str| digits.parse().ok().filter(|count| *count > 0).ok_or_else(wrong);
            let (point, rest) = text.split_once('=').ok_or_else(wrong)?;
            let (action, passes) = match (rest.split_once('@'), rest.split_once('*')) {
                (Some((action, pass)), None) => (action, Passes::Only(count(pass)?)),
                (None, Some((action, step))) => (action, Passes::Every(count(step)?)),
                _ => (rest, Passes::All),
            };
            let action = match action.split_once(':') {
                None if action == "kill" => Action::Kill,
                None if action == "abort" => Action::Abort,
                None if action == "panic" => Action::Panic,
                None if action == "error" => Action::Error,
                Some(("sleep", ms)) => Action::Sleep(Duration::from_millis(count(ms)?)),
                _ => return Err(wrong()),
            };
            Ok(Self { point: point.to_owned(), action, passes, passed: AtomicU64::new(0) })
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_rule_says_what_happens_and_when() {
            let read = |text: &str| text.parse::<Rule>().map(|rule| (rule.point, rule.action, rule.passes));
            let point = || "a.b".to_owned();
            assert_eq!(read("a.b=kill"), Ok((point(), Action::Kill, Passes::All)));
            assert_eq!(read("a.b=panic@3"), Ok((point(), Action::Panic, Passes::Only(3))));
            let nap = Action::Sleep(Duration::from_millis(20));
            assert_eq!(read("a.b=sleep:20*50"), Ok((point(), nap, Passes::Every(50))));
            for wrong in
                ["", "a.b", "a.b=", "a.b=burn", "a.b=kill@0", "a.b=kill@x", "a.b=sleep", "a.b=kill@1*2"]
            {
                assert!(read(wrong).is_err(), "{wrong}");
            }
            assert!(Passes::Only(2).contain(2) && !Passes::Only(2).contain(4));
            assert!(Passes::Every(2).contain(4) && !Passes::Every(2).contain(3));
        }

        #[tokio::test]
        async fn with_nothing_asked_for_nothing_happens() {
            assert!(check().is_ok() && !broken("answer-before-commit"));
            assert!(point("intake.before_commit").await.is_ok());
        }
    }
}
