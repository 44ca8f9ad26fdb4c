//! Nothing that proves an identity leaves the process in words: every log line and every error text
//! passes here.

use std::sync::LazyLock;

use regex::Regex;

/// What secrets look like in headers, kubeconfigs, URLs and plugin output. The first group of each
/// pattern is kept.
static SECRETS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r"(-----BEGIN [A-Z0-9 ]+-----)(?s:.*?)(?:-----END [A-Z0-9 ]+-----|\z)",
        r"(?i)(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=%-]{6,}",
        r"\b(eyJ)[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)*",
        r"(\b[A-Za-z][A-Za-z0-9+.-]*://)[^/\s@?#]+@",
        concat!(
            r#"(?i)(["']?\b(?:[a-z]+[-_]?)*(?:token|password|passwd|secret|client-?key-?data|"#,
            r#"client-?certificate-?data|private-?key)["']?\s*[:=]\s*)"#,
            r#"(?:"[^"]*"|'[^']*'|[^\s,;&}"']+)"#
        ),
        r"(?i)([?&](?:access_token|token|sig|signature|code)=)[^&\s]+",
    ]
    .iter()
    .map(|pattern| Regex::new(pattern).expect("the patterns are constants and tested"))
    .collect()
});

/// The text with tokens, private keys, certificates' PEM bodies, passwords and URL credentials
/// replaced by `[redacted]`.
pub fn redact(text: &str) -> String {
    SECRETS.iter().fold(text.to_owned(), |text, pattern| {
        let mark = if pattern.as_str().ends_with("+@") { "$1[redacted]@" } else { "$1[redacted]" };
        pattern.replace_all(&text, mark).into_owned()
    })
}

/// Zero-width and direction characters, with which text can be made to look like other text.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || c == '\u{feff}'
}

/// Foreign text made fit for one line of a message: redacted, control and invisible direction
/// characters turned into spaces, runs of spaces closed up, cut after `limit` characters.
pub(super) fn tidy(text: &str, limit: usize) -> String {
    let plain = redact(text).replace(|c: char| c.is_control() || is_invisible(c), " ");
    let mut line = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((cut, _)) = line.char_indices().nth(limit) {
        line.truncate(cut);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_the_rest_is_kept() {
        let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl";
        let table = [
            (format!("Authorization: Bearer {jwt} x"), "Authorization: Bearer [redacted] x"),
            ("authorization: basic dXNlcjpwdw==".into(), "authorization: basic [redacted]"),
            (format!("got {jwt}, why"), "got eyJ[redacted], why"),
            ("https://me:pw@host:1/p?q=1".into(), "https://[redacted]@host:1/p?q=1"),
            (r#"{"token":"abc def","user":"x"}"#.into(), r#"{"token":[redacted],"user":"x"}"#),
            ("password=hunter2 ok".into(), "password=[redacted] ok"),
            ("client-key-data: QUJD\nname: a".into(), "client-key-data: [redacted]\nname: a"),
            ("refreshToken: 'a b'".into(), "refreshToken: [redacted]"),
            ("/cb?code=123&x=1".into(), "/cb?code=[redacted]&x=1"),
            (
                "a -----BEGIN RSA PRIVATE KEY-----\nAAA\n-----END RSA PRIVATE KEY----- b".into(),
                "a -----BEGIN RSA PRIVATE KEY-----[redacted] b",
            ),
            (
                "cut -----BEGIN PRIVATE KEY-----\nAAA".into(),
                "cut -----BEGIN PRIVATE KEY-----[redacted]",
            ),
            ("pods is forbidden: User \"jane\"".into(), "pods is forbidden: User \"jane\""),
            ("the token has expired".into(), "the token has expired"),
        ];
        for (text, expected) in table {
            assert_eq!(redact(&text), expected);
        }
    }

    #[test]
    fn tidied_text_is_one_harmless_line() {
        assert_eq!(tidy("a\x1b[31mb\r\n\u{202e}c\t d", 80), "a [31mb c d");
        assert_eq!(tidy("ααααα", 3), "ααα…");
    }
}
