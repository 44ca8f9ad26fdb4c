//! placeholder
use std::fmt;
use std::str::FromStr;
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Key { Char(char), Space, Enter, Esc }
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub struct Chord { pub key: Key, pub ctrl: bool, pub alt: bool, pub shift: bool }
impl fmt::Display for Chord { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{:?}", self.key) } }
impl FromStr for Chord { type Err = String; fn from_str(s: &str) -> Result<Self, String> { let mut c = s.chars(); match (c.next(), c.next()) { (Some(a), None) => Ok(Chord { key: Key::Char(a), ctrl: false, alt: false, shift: false }), _ => Err("x".into()) } } }
