//! placeholder
use super::decl::TableSpec;
/// x
#[derive(Default, Clone, Debug)]
pub struct Query(pub String);
/// x
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// x
    pub at: std::ops::Range<usize>,
    /// x
    pub why: String,
}
impl Query {
    /// x
    pub fn parse(text: &str, _: &TableSpec) -> Result<Query, Explained> {
        Ok(Query(text.to_owned()))
    }
}
/// x
pub fn nearest<'a>(_: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known.into_iter().next()
}
