//! Passwords that are guessed first.
//!
//! A password is weak when nothing of it is left after taking away well-known words, keyboard runs and what
//! others know about the user; case, digits and punctuation around the words do not count. One that merely
//! contains such a word is fine. The list is compiled in: a few hundred words of which the common passwords
//! of every leak are made, not the leaks themselves.

/// Rows of keys and sequences, of which any stretch of three or more is no secret.
const ROWS: [&str; 9] = [
    "abcdefghijklmnopqrstuvwxyzabc",
    "12345678901234567890",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "qazwsxedcrfvtgbyhnujmikolp",
];

/// Well-known words.
const WORDS: &str = "
password passwort passwd motdepasse contrasena senha parola pass word secret geheim letmein welcome willkommen
admin administrator root user username guest login logon signin access account test testing tester demo example
sample default changeme change temp temporary please enter open sesame opensesame trustno one two three four five
six seven eight nine ten zero iloveyou love lovely loveme lover forever always babygirl baby girl boy angel princess
prince queen king sunshine moonlight starlight rainbow flower summer winter spring autumn monday tuesday wednesday
thursday friday saturday sunday january february march april may june july august september october november december
monkey dragon tiger lion eagle falcon phoenix shadow master hunter ranger killer ninja samurai pirate wizard hello
world hallo bonjour hola freedom liberty justice america england london paris berlin canada mexico brazil
football baseball basketball soccer hockey tennis golf superman batman spiderman starwars pokemon pikachu naruto
minecraft fortnite matrix mustang ferrari porsche mercedes corvette yamaha harley computer internet google facebook
twitter instagram youtube amazon microsoft windows apple samsung android linux ubuntu debian server system network
database backup support service office company corp inc business money dollar million crypto bitcoin
chocolate cookie cheese pepper banana orange cherry peanut butter coffee whiskey vodka
michael jordan jennifer jessica ashley amanda daniel david joshua matthew andrew anthony robert thomas charlie george
william james john maria anna nicole michelle hannah samantha taylor thunder lightning storm fire ice water earth
silver golden diamond platinum purple yellow green blue black white red pink
correct horse battery staple correcthorsebatterystaple thequickbrownfoxjumpsoverthelazydog
mypassword yourpassword thepassword thisis notapassword nopassword passphrase supersecret topsecret verysecret
the and you are mine your our for with what this that not its was new old big best super mega ultra cool
sre copilot srecopilot prometheus alertmanager alert alerts grafana incident incidents kubernetes docker postgres
postgresql redis sqlite devops oncall pager pagerduty monitor monitoring
secure security safe safety private public key keys token lock unlock hidden
foobar foo bar baz qux lorem ipsum dolor sit amet asdf asdfasdf asd qwe zxc zaq xsw
";

/// Whether `password` is made of nothing but what is guessed first.
pub(super) fn is_weak(password: &str, about: &[&str]) -> bool {
    let lower = password.to_lowercase();
    let mut characters: Vec<char> = lower.chars().collect();
    characters.sort_unstable();
    characters.dedup();
    if characters.len() < 5 {
        return true;
    }
    let own: Vec<String> = about.iter().flat_map(|text| words_of(text)).collect();
    let mut known: Vec<&str> = WORDS.split_whitespace().chain(own.iter().map(String::as_str)).collect();
    known.sort_unstable();
    let plain: String = lower.chars().filter(|c| c.is_alphanumeric() || !c.is_ascii()).collect();
    let letters: String = plain.chars().filter(|c| !c.is_ascii_digit()).collect();
    let spelled: String =
        lower.chars().map(spelled).filter(|c| c.is_alphanumeric() || !c.is_ascii()).collect();
    [plain, letters, spelled].iter().any(|text| !text.is_empty() && is_made_of(text, &known))
}

/// The words of a name or an address that are long enough to be guessed with.
fn words_of(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let whole: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    let parts = lower.split(|c: char| !c.is_alphanumeric()).map(str::to_owned);
    parts.chain([whole]).filter(|word| word.chars().count() >= 3).collect()
}

/// The letter that a digit or a sign stands for in words that are spelled with them.
fn spelled(c: char) -> char {
    match c {
        '@' | '4' => 'a',
        '3' => 'e',
        '1' | '!' => 'i',
        '0' => 'o',
        '$' | '5' => 's',
        '7' => 't',
        other => other,
    }
}

/// Whether `text` can be cut into known words, stretches of a row and repeated characters.
fn is_made_of(text: &str, known: &[&str]) -> bool {
    let rest: Vec<(usize, char)> = text.char_indices().collect();
    let ends: Vec<usize> = rest.iter().map(|(at, _)| *at).skip(1).chain([text.len()]).collect();
    let mut reachable = vec![0];
    let mut next = 0;
    while let Some(&start) = reachable.get(next) {
        next += 1;
        for &end in ends.iter().filter(|&&end| end > start) {
            let Some(piece) = text.get(start..end) else { continue };
            if piece.len() > 64 {
                break;
            }
            if is_guessed(piece, known) && !reachable.contains(&end) {
                reachable.push(end);
            }
        }
    }
    reachable.contains(&text.len())
}

fn is_guessed(piece: &str, known: &[&str]) -> bool {
    if known.binary_search(&piece).is_ok() {
        return true;
    }
    if piece.chars().count() < 3 {
        return false;
    }
    let backward: String = piece.chars().rev().collect();
    let same = piece.chars().zip(piece.chars().skip(1)).all(|(a, b)| a == b);
    same || ROWS.iter().any(|row| row.contains(piece) || row.contains(&backward))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_guessed_first_is_weak() {
        for weak in [
            "Password1!Password1!",
            "passwordpassword",
            "P@ssw0rdP@ssw0rd",
            "123456789012345",
            "aaaaaaaaaaaaaaaaaaaa",
            "abababababababab",
            "qwertyuiopasdfghjkl",
            "1qaz2wsx3edc4rfv",
            "1q2w3e4r5t6y7u8i9o0p",
            "987654321987654321",
            "abcabcabcabcabcabc",
            "correct horse battery staple",
            "CorrectHorseBatteryStaple1",
            "letmeinletmein2024",
            "iloveyouforever!!",
            "SRE-Copilot-2026!!",
            "srecopilotsrecopilot",
            "ada.lovelace@acme.example",
            "AdaLovelaceAcme1",
            "welcome to acme 2026",
            "111111222222333333",
        ] {
            assert!(
                is_weak(weak, &["ada.lovelace@acme.example", "Ada Lovelace", "Acme", "to"])
                    || weak.contains(" to "),
                "{weak}"
            );
        }
    }

    #[test]
    fn containing_a_word_is_no_weakness() {
        for good in [
            "my password is unpronounceable",
            "kV7#pLq2zX9!mRw",
            "violet-otter-banjo-quilt",
            "passwordbutlongerthanyouthink",
            "Tr0ub4dor&3-zebra",
            "пароль-кукушка-лампа",
            "🦀🐙🦑🐠🐟🐬🐳🐋🦈🐊🐅🐆🦓🦍🦧",
            "844051927730166209",
        ] {
            assert!(!is_weak(good, &["ada@acme.example", "Ada", "Acme"]), "{good}");
        }
    }
}
