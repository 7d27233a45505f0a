//! YAML with the line of everything in it.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};

/// How deep a file may be nested; routes within routes are the deepest, and nobody has a dozen.
const DEEPEST: usize = 64;

/// Values that the whole file may have once its aliases are written out.
const MOST_VALUES: usize = 200_000;

/// What the file is not, and where that shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Counted from 1.
    pub line: usize,
    /// For a person.
    pub what: String,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    /// The line of its beginning, counted from 1.
    pub line: usize,
    value: Value,
}

#[derive(Clone, Debug)]
enum Value {
    /// A text; plain when it is not in quotation marks.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    /// Names with their lines, in the order of the file.
    Map(Vec<(String, usize, Node)>),
}

impl Node {
    /// What a map has under a name, with the line of the name.
    pub fn get(&self, name: &str) -> Option<(usize, &Self)> {
        let Value::Map(members) = &self.value else { return None };
        let found = members.iter().find(|(own, ..)| own == name);
        found.map(|(_, line, node)| (*line, node)).filter(|(_, node)| !node.is_null())
    }

    /// The text under a name.
    pub fn text_of(&self, name: &str) -> Option<(usize, &str)> {
        self.get(name).and_then(|(line, node)| Some((line, node.text()?)))
    }

    /// The entries of a list under a name; nothing when there is none.
    pub fn list_of(&self, name: &str) -> &[Self] {
        match self.get(name).map(|(_, node)| &node.value) {
            Some(Value::List(entries)) => entries,
            _ => &[],
        }
    }

    /// The names and texts of a map.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let members = if let Value::Map(members) = &self.value { members.as_slice() } else { &[] };
        members.iter().filter_map(|(name, _, node)| Some((name.as_str(), node.text()?)))
    }

    /// The names of a map.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let members = if let Value::Map(members) = &self.value { members.as_slice() } else { &[] };
        members.iter().map(|(name, ..)| name.as_str())
    }

    /// Whether it is a map.
    pub fn is_map(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    /// Its text, when it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    fn size(&self) -> usize {
        1 + match &self.value {
            Value::Scalar { .. } => 0,
            Value::List(entries) => entries.iter().map(Self::size).sum(),
            Value::Map(members) => members.iter().map(|(.., node)| node.size()).sum(),
        }
    }
}

/// Reads the first document of a text, as Alertmanager does.
///
/// # Errors
/// When it is no YAML, or a map has a name twice.
pub fn read(text: &str) -> Result<Node, Broken> {
    let mut reader = Reader { text, parser: Parser::new_from_str(text), anchors: BTreeMap::new(), values: 0 };
    loop {
        match reader.next()? {
            (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
            (Event::StreamEnd | Event::DocumentEnd, line) => {
                return Err(Broken { line, what: "it is empty".to_owned() });
            }
            (event, line) => {
                let node = reader.node(event, line, 0)?;
                reader.rest()?;
                return Ok(node);
            }
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    anchors: BTreeMap<usize, Node>,
    values: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, usize), Broken> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, span.start.line())),
            Some(Err(error)) => Err(self.broken(&error)),
            None => Ok((Event::StreamEnd, 1)),
        }
    }

    /// What the parser refused. A tab it finds while it looks for the end of what stands lines before.
    fn broken(&self, error: &ScanError) -> Broken {
        let (begin, what) = (error.marker().line(), error.info().to_owned());
        let indent = |line: &str| {
            line.chars().take_while(|letter| letter.is_whitespace()).any(|letter| letter == '\t')
        };
        let mut from = self.text.lines().enumerate().skip(begin.saturating_sub(1));
        let tab = from.find(|(_, line)| indent(line)).filter(|_| what.contains("tab"));
        Broken { line: tab.map_or(begin, |(at, _)| at + 1), what }
    }

    /// Reads on to the end of the document, of which nothing may be broken.
    fn rest(&mut self) -> Result<(), Broken> {
        while !matches!(self.next()?.0, Event::StreamEnd | Event::DocumentStart(_)) {}
        Ok(())
    }

    fn node(&mut self, event: Event<'a>, line: usize, depth: usize) -> Result<Node, Broken> {
        if depth > DEEPEST {
            return Err(Broken { line, what: format!("it is nested deeper than {DEEPEST}") });
        }
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => {
                (Value::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain }, anchor)
            }
            Event::SequenceStart(anchor, _) => (self.list(depth)?, anchor),
            Event::MappingStart(anchor, _) => (self.map(depth)?, anchor),
            Event::Alias(anchor) => {
                let named = self.anchors.get(&anchor).cloned();
                let node = named
                    .ok_or_else(|| Broken { line, what: "an alias names what is not above it".to_owned() })?;
                self.count(line, node.size())?;
                return Ok(Node { line, ..node });
            }
            _ => return Err(Broken { line, what: "it ends too early".to_owned() }),
        };
        self.count(line, 1)?;
        let node = Node { line, value };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    /// A few aliases of aliases are more values than any memory holds.
    fn count(&mut self, line: usize, more: usize) -> Result<(), Broken> {
        self.values = self.values.saturating_add(more);
        if self.values > MOST_VALUES {
            return Err(Broken { line, what: format!("it has more than {MOST_VALUES} values") });
        }
        Ok(())
    }

    fn list(&mut self, depth: usize) -> Result<Value, Broken> {
        let mut entries = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(entries)),
                (event, line) => entries.push(self.node(event, line, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, Broken> {
        let mut members: Vec<(String, usize, Node)> = Vec::new();
        let mut merged: Vec<Node> = Vec::new();
        loop {
            let (event, line) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let name = self.node(event, line, depth + 1)?;
            let Some(name) = name.text().map(str::to_owned) else {
                return Err(Broken { line, what: "a name must be a text".to_owned() });
            };
            let (event, at) = self.next()?;
            let node = self.node(event, at, depth + 1)?;
            if name == "<<" {
                merged.push(node);
            } else if members.iter().any(|(own, ..)| *own == name) {
                return Err(Broken { line, what: format!("`{name}` stands twice in the same map") });
            } else {
                members.push((name, line, node));
            }
        }
        // What is merged in gives way to what stands there itself.
        let maps = merged.into_iter().flat_map(|node| match node.value {
            Value::List(nodes) => nodes,
            value => vec![Node { value, line: node.line }],
        });
        for node in maps {
            let Value::Map(more) = node.value else { continue };
            for member in more {
                if members.iter().all(|(own, ..)| *own != member.0) {
                    members.push(member);
                }
            }
        }
        Ok(Value::Map(members))
    }
}
