//! placeholder
use super::cell::Role;
use super::time::Epoch;
#[derive(Default, Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Folds { pub managed_fields: bool, pub secrets: bool }
#[derive(Default, Clone, Debug)]
#[allow(missing_docs)]
pub struct Doc { pub lines: Vec<Line> }
#[derive(Default, Clone, Debug)]
#[allow(missing_docs)]
pub struct Line { pub spans: Vec<(Role, String)> }
#[allow(missing_docs)]
impl Line { pub fn text(&self) -> String { self.spans.iter().map(|s| s.1.as_str()).collect() } }
#[allow(missing_docs)]
pub fn yaml(_: &serde_json::Value, _: Folds) -> Doc { Doc::default() }
#[allow(missing_docs)]
pub fn yaml_of(_: &serde_json::Value) -> String { String::new() }
#[allow(missing_docs)]
pub fn describe(_: &serde_json::Value, _: Result<&[serde_json::Value], &String>, _: Epoch) -> Doc { Doc::default() }
