//! What somebody may have meant by a name that does not exist.

/// The names closest to one that does not exist, best first, at most three: names that contain it or are contained in it,
/// then those a few typing errors away.
pub fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let mut ranked: Vec<(usize, &str)> = names
        .into_iter()
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let part = lower.contains(&wanted) || wanted.contains(&lower);
            let far = distance(&wanted, &lower);
            let near = far <= (wanted.chars().count() / 3).max(2);
            // What begins alike (`nodename` for `node`) is meant more often than what merely holds it.
            let alike = lower.starts_with(&wanted) || wanted.starts_with(&lower);
            let rank = if near { far } else { far + if alike { 50 } else { 100 } };
            (part || near).then_some((rank, name))
        })
        .collect();
    ranked.sort();
    ranked.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
}

/// Levenshtein distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let swap = corner + usize::from(from != *to);
            corner = row[j + 1];
            row[j + 1] = swap.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// `; did you mean A or B?`, or nothing if no name is near.
pub fn hint<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(wanted, names).as_slice() {
        [] => String::new(),
        near => format!("; did you mean {}?", near.join(" or ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_names_are_the_ones_meant() {
        let names = ["prod-eu", "prod-us", "staging", "kind-kind", "Prod-AP"];
        assert_eq!(nearest("prod-uk", names), ["prod-us", "Prod-AP", "prod-eu"]);
        assert_eq!(nearest("stagging", names), ["staging"]);
        assert_eq!(nearest("kind", names), ["kind-kind"]);
        assert!(nearest("zzzzzzzz", names).is_empty());
        assert!(nearest("x", []).is_empty());
    }

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "ab"), 2);
        assert_eq!(distance("ab", ""), 2);
    }
}
