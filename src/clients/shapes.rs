//! Where in a file the list of servers stands, and how to walk there past everything else.
//!
//! A client's file may hold a year of history and secret keys. The walk follows the keys that
//! lead to a list and lets the parser skip all others without making values of them: 30 MB of
//! `.claude.json` cost their reading, and nothing in memory.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::entry::{Entry, Loose};
use super::places::Os;

/// The keys that lead from the top of a file to a list of servers. `*` is any key.
pub(super) type Steps = &'static [&'static str];

/// Where in a file servers stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Ways to a list: a map by name, or a sequence of entries with a name in them.
    pub(super) lists: &'static [Steps],
    /// The way to a single entry without a name.
    pub(super) single: Option<Steps>,
    /// The top itself is a list, where none of the above leads on.
    pub(super) bare: bool,
}

/// What was found in one file.
#[derive(Default)]
pub(super) struct Listing {
    /// The entries.
    pub(super) servers: Vec<Listed>,
    /// The keys a `*` stood for: project folders.
    pub(super) projects: Vec<String>,
    /// Names of other files that stood where a list was expected (Claude Code's plugins may).
    pub(super) elsewhere: Vec<String>,
}

/// One entry and where it stood.
pub(super) struct Listed {
    /// The key a `*` stood for on the way to it.
    pub(super) project: Option<String>,
    /// Its key, its own name, or its position.
    pub(super) name: String,
    /// The entry.
    pub(super) entry: Entry,
}

/// Walks from the top of a document into a listing.
pub(super) struct Walk<'a> {
    ways: Vec<Way>,
    bare: bool,
    project: Option<&'a str>,
    os: Os,
    found: &'a mut Listing,
}

#[derive(Clone, Copy)]
struct Way {
    steps: Steps,
    single: bool,
}

impl<'a> Walk<'a> {
    /// From the top.
    pub(super) fn new(shape: &Shape, os: Os, found: &'a mut Listing) -> Walk<'a> {
        let lists = shape.lists.iter().map(|steps| Way { steps, single: false });
        let single = shape.single.map(|steps| Way { steps, single: true });
        Walk { ways: lists.chain(single).collect(), bare: shape.bare, project: None, os, found }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// A value of the wrong kind is no error: it is not what was looked for, and is passed over.
macro_rules! pass_over {
    ($($visit:ident: $kind:ty),*) => {
        $(fn $visit<E>(self, _: $kind) -> Result<(), E> { Ok(()) })*
        fn visit_unit<E>(self) -> Result<(), E> { Ok(()) }
        fn visit_none<E>(self) -> Result<(), E> { Ok(()) }
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("anything") }
    };
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();
    pass_over!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<(), A::Error> {
        while let Some(key) = pairs.next_key::<String>()? {
            let mut onward = Vec::new();
            let mut arrived = None;
            let mut wild = false;
            for way in &self.ways {
                match way.steps {
                    [step, rest @ ..] if *step == key || *step == "*" => {
                        wild |= *step == "*";
                        match rest {
                            [] => arrived = Some(way.single),
                            _ => onward.push(Way { steps: rest, ..*way }),
                        }
                    }
                    _ => {}
                }
            }
            if wild {
                self.found.projects.push(key.clone());
            }
            let project = if wild { Some(key.as_str()) } else { self.project };
            match arrived {
                Some(true) => {
                    let loose = pairs.next_value::<Loose>()?;
                    self.found.take(project, "", &loose, self.os);
                }
                Some(false) => {
                    pairs.next_value_seed(List { project, os: self.os, found: &mut *self.found })?;
                }
                None if !onward.is_empty() => pairs.next_value_seed(Walk {
                    ways: onward,
                    bare: false,
                    project,
                    os: self.os,
                    found: &mut *self.found,
                })?,
                None if self.bare => {
                    let loose = pairs.next_value::<Loose>()?;
                    self.found.take(project, &key, &loose, self.os);
                }
                None => {
                    pairs.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

impl Listing {
    fn take(&mut self, project: Option<&str>, name: &str, loose: &Loose, os: Os) {
        if let Some(entry) = Entry::read(loose, os) {
            self.servers.push(Listed { project: project.map(str::to_owned), name: name.to_owned(), entry });
        }
    }
}

/// A list of servers: a map by name, a sequence, or the name of a file that has it.
struct List<'a> {
    project: Option<&'a str>,
    os: Os,
    found: &'a mut Listing,
}

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();
    pass_over!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64);

    fn visit_str<E>(self, file: &str) -> Result<(), E> {
        self.found.elsewhere.push(file.to_owned());
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut position = 0usize;
        while let Some(item) = items.next_element::<Loose>()? {
            if let Loose::Text(file) = item {
                self.found.elsewhere.push(file);
            } else if let Some(entry) = Entry::read(&item, self.os) {
                let name = entry.name.clone().unwrap_or_else(|| position.to_string());
                let project = self.project.map(str::to_owned);
                self.found.servers.push(Listed { project, name, entry });
            }
            position += 1;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<(), A::Error> {
        while let Some(name) = pairs.next_key::<String>()? {
            let loose = pairs.next_value::<Loose>()?;
            self.found.take(self.project, &name, &loose, self.os);
        }
        Ok(())
    }
}
