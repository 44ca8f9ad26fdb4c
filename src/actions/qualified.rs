//! The API's rules for keys and values of labels, annotations and taints (apimachinery `util/validation`,
//! `IsQualifiedName`, `IsValidLabelValue`, v0.37), in words for whoever is typing.

/// Longest name part of a key, and longest label value, in characters.
const NAME: usize = 63;
/// Longest prefix of a key.
const PREFIX: usize = 253;

/// Whether a key may be used.
///
/// # Errors
/// What is wrong with it.
pub fn key(key: &str) -> Result<(), String> {
    let (prefix, name) = match key.rsplit_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if let Some(prefix) = prefix {
        subdomain(prefix)?;
    }
    word(name, "the name in a key").and_then(|()| match name.is_empty() {
        true => Err("the name in a key is empty".into()),
        false => Ok(()),
    })
}

/// Whether a text may be the value of a label or a taint.
///
/// # Errors
/// What is wrong with it.
pub fn value(value: &str) -> Result<(), String> {
    word(value, "the value")
}

fn word(text: &str, what: &str) -> Result<(), String> {
    if text.len() > NAME {
        return Err(format!(
            "{what} is {} characters long, at most {NAME} are allowed",
            text.len()
        ));
    }
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if let Some(odd) = text.chars().find(|&c| !inner(c)) {
        return Err(format!("{what} holds `{odd}`; letters, digits, - _ and . are allowed"));
    }
    let outer = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    if !outer(text.chars().next()) || !outer(text.chars().last()) {
        return Err(format!("{what} must begin and end with a letter or digit"));
    }
    Ok(())
}

fn subdomain(prefix: &str) -> Result<(), String> {
    let label = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    if prefix.len() <= PREFIX && prefix.split('.').all(label) {
        Ok(())
    } else {
        Err(format!("`{prefix}` is no DNS name: lower case letters, digits, - and dots"))
    }
}

/// A change of one key: its new value, or none if it is to go.
pub type Pair<'a> = (&'a str, Option<&'a str>);

/// `k=v` and `k-`, separated by blanks.
///
/// # Errors
/// What is wrong with the first that is.
pub fn pairs<'a>(
    text: &'a str,
    check: fn(&str) -> Result<(), String>,
) -> Result<Vec<Pair<'a>>, String> {
    let mut pairs: Vec<Pair<'a>> = vec![];
    for word in text.split_whitespace() {
        let pair = match (word.split_once('='), word.strip_suffix('-')) {
            (Some((k, v)), _) => (k, Some(v)),
            (None, Some(k)) => (k, None),
            (None, None) => return Err(format!("`{word}` is neither key=value nor key-")),
        };
        key(pair.0)?;
        check(pair.1.unwrap_or_default())?;
        if pairs.iter().any(|(k, _)| *k == pair.0) {
            return Err(format!("{} is named twice", pair.0));
        }
        pairs.push(pair);
    }
    if pairs.is_empty() { Err("key=value sets, key- removes".into()) } else { Ok(pairs) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_follow_the_apis_rules() {
        let long = "a".repeat(64);
        for good in ["a", "app", "a.b/c", "example.com/My_Key.1"] {
            assert_eq!(key(good), Ok(()), "{good}");
        }
        for bad in ["", "a/", "/a", "-a", "a-", "A.b/c", "a b", "a/b/c", &long] {
            assert!(key(bad).is_err(), "{bad}");
        }
        assert!(value("").is_ok() && value("v1.2_x").is_ok());
        assert!(value("ü").is_err() && value(&long).is_err() && value("-").is_err());
    }

    #[test]
    fn pairs_are_set_or_removed_once_each() {
        assert_eq!(
            pairs("a=1 b- c=", value),
            Ok(vec![("a", Some("1")), ("b", None), ("c", Some(""))])
        );
        for bad in ["", "a", "a=1 a-", "a=b c", "a=%"] {
            assert!(pairs(bad, value).is_err(), "{bad}");
        }
    }
}
