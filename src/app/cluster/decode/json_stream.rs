//! Lists and watches in JSON, cut into objects while they arrive. The cut only counts braces and quotes; whether an
//! object is valid JSON is seen when it is walked.

use super::buffer::Buffer;
use super::stream::{Event, ListMeta, Verb};
use super::{Encoding, Malformed, OBJECT_MAX};
use std::ops::Range;

const CUT: &str = "an event ends in the middle of its line";

/// Finds the end of one value that may arrive in pieces.
#[derive(Debug, Default)]
struct Scan {
    depth: usize,
    quoted: bool,
    escaped: bool,
    /// A line ended within the value.
    broken: bool,
}

impl Scan {
    /// Bytes up to the end of the value, or `None` if all of `bytes` belongs to it.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            if self.escaped {
                self.escaped = false;
                at += 1;
                continue;
            }
            if self.quoted {
                at += bytes[at..].iter().position(|&b| matches!(b, b'"' | b'\\' | b'\n'))?;
                if bytes[at] == b'\n' {
                    self.broken = true;
                    at += 1;
                    continue;
                }
                self.escaped = bytes[at] == b'\\';
                self.quoted = self.escaped;
                at += 1;
                if !self.quoted && self.depth == 0 {
                    return Some(at);
                }
                continue;
            }
            match bytes[at] {
                b'"' => self.quoted = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(at + 1);
                    }
                }
                // A number or a word ends where something else begins.
                b'}' | b']' | b',' | b' ' | b'\n' | b'\r' | b'\t' if self.depth == 0 => {
                    return Some(at);
                }
                b'\n' => self.broken = true,
                _ => {}
            }
            at += 1;
        }
        None
    }
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum State {
    /// Before an object.
    #[default]
    Open,
    /// Before a field's name, or the end of the object.
    Name,
    InName,
    Colon,
    /// Before a field's value.
    Before,
    InValue,
    /// Before an element, or the end of the list.
    Items,
    InItem,
}

/// A piece of an object, as offsets into the unused bytes.
#[derive(Debug, Clone, PartialEq)]
enum Token {
    Member { name: Range<usize>, value: Range<usize> },
    Item(Range<usize>),
    End,
}

/// Cuts objects into their members, and one list among these into its elements.
#[derive(Debug, Default)]
struct Members {
    buffer: Buffer,
    state: State,
    scan: Scan,
    at: usize,
    from: usize,
    name: Range<usize>,
    /// Each object stands on a line of its own: one that goes on in the next line is broken, and what it would swallow
    /// there are other objects (apimachinery `runtime/serializer/json`, `Framer`).
    lines: bool,
}

impl Members {
    fn push(&mut self, chunk: &[u8]) {
        self.buffer.push(chunk);
    }

    fn text(&self, range: &Range<usize>) -> &[u8] {
        &self.buffer.rest()[range.clone()]
    }

    /// Forgets what was cut so far; tokens cut earlier no longer point anywhere.
    fn release(&mut self) {
        self.buffer.advance(std::mem::take(&mut self.at));
    }

    /// The next piece; `None` until more has arrived. The list in the member `split` comes in elements.
    fn next(&mut self, split: Option<&[u8]>) -> Result<Option<Token>, Malformed> {
        loop {
            if self.at > OBJECT_MAX {
                return Err(Malformed("an object is larger than 64 MiB"));
            }
            if matches!(self.state, State::InName | State::InValue | State::InItem) {
                let end = self.scan.end(&self.buffer.rest()[self.at..]);
                if self.lines && self.scan.broken {
                    return Err(Malformed(CUT));
                }
                let Some(len) = end else {
                    self.at = self.buffer.rest().len();
                    return if self.at > OBJECT_MAX { continue } else { Ok(None) };
                };
                self.at += len;
                let value = self.from..self.at;
                if value.is_empty() {
                    return Err(Malformed("this is not valid JSON"));
                }
                match self.state {
                    State::InName => {
                        self.name = value;
                        self.state = State::Colon;
                    }
                    State::InValue => {
                        self.state = State::Name;
                        return Ok(Some(Token::Member { name: self.name.clone(), value }));
                    }
                    _ => {
                        self.state = State::Items;
                        return Ok(Some(Token::Item(value)));
                    }
                }
                continue;
            }
            let rest = &self.buffer.rest()[self.at..];
            let gap = |b: &u8| !matches!(b, b' ' | b'\n' | b'\r' | b'\t' | b',');
            let skip = rest.iter().position(gap);
            let blank = &rest[..skip.unwrap_or(rest.len())];
            if self.lines && self.state != State::Open && blank.contains(&b'\n') {
                return Err(Malformed(CUT));
            }
            let Some(skip) = skip else {
                self.at += rest.len();
                return Ok(None);
            };
            let byte = rest[skip];
            self.at += skip;
            let splits = split.is_some_and(|s| {
                byte == b'[' && self.state == State::Before && self.text(&self.name) == s
            });
            self.state = match (self.state, byte) {
                (State::Open, b'{') => State::Name,
                (State::Name, b'}') => {
                    self.at += 1;
                    self.state = State::Open;
                    return Ok(Some(Token::End));
                }
                (State::Name, b'"') => self.begin(State::InName),
                (State::Colon, b':') => State::Before,
                (State::Before, _) if splits => State::Items,
                (State::Before, _) => self.begin(State::InValue),
                (State::Items, b']') => State::Name,
                (State::Items, _) => self.begin(State::InItem),
                _ => return Err(Malformed("this is not valid JSON")),
            };
            if !matches!(self.state, State::InName | State::InValue | State::InItem) {
                self.at += 1;
            }
        }
    }

    fn begin(&mut self, state: State) -> State {
        self.from = self.at;
        self.scan = Scan::default();
        state
    }
}

/// Cuts a list into its items.
#[derive(Debug, Default)]
pub(super) struct List {
    members: Members,
    meta: ListMeta,
    items: bool,
    ended: bool,
}

impl List {
    pub fn push(&mut self, chunk: &[u8]) {
        self.members.push(chunk);
    }

    /// The next item that has arrived whole.
    pub fn next(&mut self) -> Result<Option<&[u8]>, Malformed> {
        while !self.ended {
            let Some(token) = self.members.next(Some(b"\"items\""))? else { return Ok(None) };
            // Offsets count from the bytes not yet released, so the piece is looked up before it is released.
            let all = self.members.at;
            let piece = match &token {
                Token::End => {
                    self.ended = true;
                    0..0
                }
                Token::Item(item) => item.clone(),
                Token::Member { name, value } => {
                    match self.members.text(name) {
                        b"\"metadata\"" => {
                            self.meta = ListMeta::read(Encoding::Json, self.members.text(value))?;
                        }
                        b"\"items\"" => self.items = true,
                        _ => {}
                    }
                    0..0
                }
            };
            self.members.release();
            if let Token::Item(_) = token {
                self.items = true;
                return Ok(Some(&self.members.buffer.last(all)[piece]));
            }
        }
        Ok(None)
    }

    /// What the list says of itself, once it has ended.
    pub fn end(self) -> Result<ListMeta, Malformed> {
        if self.ended { Ok(self.meta) } else { Err(Malformed("the list ends in the middle")) }
    }
}

/// Cuts a watch into its events.
#[derive(Debug)]
pub(super) struct Watch {
    members: Members,
    verb: Option<Verb>,
    object: Range<usize>,
}

impl Default for Watch {
    fn default() -> Watch {
        let members = Members { lines: true, ..Members::default() };
        Watch { members, verb: None, object: 0..0 }
    }
}

impl Watch {
    pub fn push(&mut self, chunk: &[u8]) {
        self.members.push(chunk);
    }

    /// The next event that has arrived whole.
    pub fn next(&mut self) -> Result<Option<Event<'_>>, Malformed> {
        loop {
            match self.members.next(None)? {
                None => return Ok(None),
                Some(Token::End) => break,
                Some(Token::Item(_)) => {}
                Some(Token::Member { name, value }) => match self.members.text(&name) {
                    b"\"type\"" => {
                        let quoted = self.members.text(&value);
                        let bare = quoted.strip_prefix(b"\"").and_then(|t| t.strip_suffix(b"\""));
                        self.verb = Some(Verb::of(bare.unwrap_or_default())?);
                    }
                    b"\"object\"" => self.object = value,
                    _ => {}
                },
            }
        }
        let verb = self.verb.take().ok_or(Malformed("an event without a type"))?;
        let (all, object) = (self.members.at, std::mem::take(&mut self.object));
        self.members.release();
        Ok(Some(Event { verb, object: &self.members.buffer.last(all)[object] }))
    }

    /// Whether it ended between two events.
    pub fn ends_well(&self) -> bool {
        self.members.state == State::Open
    }
}
