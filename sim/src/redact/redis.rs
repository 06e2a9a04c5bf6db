//! Secrets in Redis commands, by their place and by the name before them.

use super::{MASK, is_secret_in_prose, masked};

/// Commands whose arguments may be secrets at other places than the name alone says.
const WITH_SECRETS: &[&str] = &["acl", "auth", "config", "hello", "migrate"];

/// The beginnings of the names of commands that return values.
const READS: &[&str] = &[
    "acl",
    "blmove",
    "blmpop",
    "blpop",
    "brpop",
    "bzmpop",
    "bzpop",
    "config",
    "dump",
    "eval",
    "fcall",
    "get",
    "hget",
    "hmget",
    "hrandfield",
    "hscan",
    "hvals",
    "lcs",
    "lindex",
    "lmove",
    "lmpop",
    "lpop",
    "lrange",
    "mget",
    "rpop",
    "sdiff",
    "sinter",
    "smembers",
    "sort",
    "spop",
    "srandmember",
    "sscan",
    "substr",
    "sunion",
    "xrange",
    "xread",
    "xrevrange",
    "zdiff",
    "zinter",
    "zmpop",
    "zpop",
    "zrandmember",
    "zrange",
    "zrevrange",
    "zscan",
    "zunion",
];

/// Which of the words of a command are secrets. The first is its name.
///
/// Secrets are the password of AUTH, of the AUTH of HELLO and of those of MIGRATE, the rules of ACL
/// SETUSER that add or remove one, and what follows the name of a secret, as in `CONFIG SET
/// requirepass x`, `SET client_secret x` and `HSET user password x`. Of a command that is
/// misspelled and could be one of these, everything is.
pub fn redis_secrets(words: &[&str]) -> Vec<bool> {
    let name = words
        .first()
        .copied()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let word = |at: Option<usize>| at.and_then(|at| words.get(at)).copied().unwrap_or_default();
    let is = |at: Option<usize>, text: &str| word(at).eq_ignore_ascii_case(text);
    let is_misspelled = !WITH_SECRETS.contains(&name.as_str())
        && WITH_SECRETS.iter().any(|known| is_near(&name, known));
    let is_secret = |at: usize| {
        let (one, two) = (at.checked_sub(1), at.checked_sub(2));
        let after_a_name = at > 1 && is_secret_in_prose(word(one));
        let by_place = match name.as_str() {
            "auth" => at + 1 == words.len() || at > 1,
            "hello" => is(two, "auth") || is(one, "auth") && at + 1 == words.len(),
            "migrate" => is(one, "auth") || is(two, "auth2"),
            "acl" => {
                is(Some(1), "setuser") && at > 2 && word(Some(at)).starts_with(['>', '<', '#', '!'])
            }
            _ => is_misspelled,
        };
        // What AUTH stands before in HELLO and MIGRATE can be a user name.
        at > 0 && (by_place || after_a_name && !is(one, "auth") && !is(one, "auth2"))
    };
    (0..words.len()).map(is_secret).collect()
}

/// Whether one letter makes the difference: left out, added, changed, or two in the wrong order.
fn is_near(name: &str, known: &str) -> bool {
    name.len() > 2
        && name.len().abs_diff(known.len()) <= 1
        && strsim::damerau_levenshtein(name, known) == 1
}

/// A command as it may be shown.
pub fn masked_command(words: &[&str]) -> String {
    let shown = words
        .iter()
        .zip(redis_secrets(words))
        .map(|(word, is_secret)| {
            if is_secret {
                MASK.to_owned()
            } else {
                masked(word).into_owned()
            }
        });
    shown.collect::<Vec<_>>().join(" ")
}

/// Whether the reply to a command is the value of a secret, as that of `GET client_secret` is.
pub fn hides_reply(words: &[&str]) -> bool {
    let name = words
        .first()
        .copied()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let reads = READS.iter().any(|start| name.starts_with(start));
    reads && words.iter().skip(1).any(|word| is_secret_in_prose(word))
}

/// A message on a channel as it may be shown: that on the channel `client_secret` is the value of
/// one.
pub fn masked_message(channel: &str, message: &str) -> String {
    if is_secret_in_prose(channel) {
        MASK.to_owned()
    } else {
        message.to_owned()
    }
}

/// An error of a server that repeats the arguments of a command it does not know, without them
/// where one is a secret.
pub fn without_echo(reply: String, words: &[&str]) -> String {
    const ECHO: &str = "with args beginning with:";
    match reply.split_once(ECHO) {
        Some((before, _)) if redis_secrets(words).contains(&true) => {
            format!("{before}{ECHO} {MASK}")
        }
        _ => reply,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_commands_are_covered() {
        for (line, expected) in [
            ("AUTH S", "AUTH ***"),
            ("auth user S", "auth user ***"),
            ("AUTH user S S", "AUTH user *** ***"),
            (
                "HELLO 3 AUTH user S SETNAME x",
                "HELLO 3 AUTH user *** SETNAME x",
            ),
            (
                "MIGRATE h 6379 k 0 10 AUTH S KEYS a",
                "MIGRATE h 6379 k 0 10 AUTH *** KEYS a",
            ),
            (
                "MIGRATE h 6379 k 0 10 AUTH2 u S",
                "MIGRATE h 6379 k 0 10 AUTH2 u ***",
            ),
            ("CONFIG SET requirepass S", "CONFIG SET requirepass ***"),
            (
                "config set port 1 masterauth S",
                "config set port 1 masterauth ***",
            ),
            (
                "ACL SETUSER u on >S <S #S !S ~* +@all",
                "ACL SETUSER u on *** *** *** *** ~* +@all",
            ),
            ("SET client_secret S EX 10", "SET client_secret *** EX 10"),
            (
                "HSET user password S name n",
                "HSET user password *** name n",
            ),
            ("AUHT user S", "AUHT *** ***"),
            ("HELO 3 AUTH u S", "HELO *** *** *** ***"),
            ("SET key value", "SET key value"),
            ("GET S", "GET S"),
        ] {
            assert_eq!(
                masked_command(&line.split(' ').collect::<Vec<_>>()),
                expected
            );
        }
    }

    #[test]
    fn replies_that_tell_a_secret_are_known() {
        assert!(hides_reply(&["GET", "client_secret"]));
        assert!(hides_reply(&["CONFIG", "GET", "requirepass"]));
        assert!(!hides_reply(&["GET", "key"]));
        assert!(!hides_reply(&["EXISTS", "client_secret"]));
        let echo =
            "ERR unknown command 'CONFIG', with args beginning with: 'SET' 'requirepass' 'S' ";
        assert_eq!(
            without_echo(echo.to_owned(), &["CONFIG", "SET", "requirepass", "S"]),
            "ERR unknown command 'CONFIG', with args beginning with: ***"
        );
        let other = echo.replace("requirepass", "port");
        assert_eq!(
            without_echo(other.clone(), &["CONFIG", "SET", "port", "S"]),
            other
        );
    }
}
