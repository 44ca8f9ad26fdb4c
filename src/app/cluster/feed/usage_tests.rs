//! Looks at what is used.

use super::*;

#[test]
fn the_more_there_is_the_rarer_it_is_asked_for() {
    assert_eq!(rest(50), EVERY);
    assert_eq!(rest(30_000), 2 * EVERY);
    assert_eq!(rest(150_000), RAREST);
}
