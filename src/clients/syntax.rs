//! Parses the bytes of a file: JSON, JSON as people write it, TOML or YAML.

use super::found::Trouble;
use super::places::Os;
use super::shapes::{Listing, Shape, walk};
use super::yaml::{self, NotYaml};

/// The language of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// Strict JSON, for a large file that only programs write.
    Json,
    /// JSON with comments, trailing commas, bare keys and single quotes.
    Jsonc,
    /// TOML.
    Toml,
    /// YAML 1.2.
    Yaml,
}

/// The line, if it is known, and what is wrong.
pub(super) type Wrong = (Option<usize>, Trouble);

impl Syntax {
    /// The language by the end of a file's name.
    pub(super) fn of(name: &str) -> Syntax {
        match name.rsplit('.').next() {
            Some("toml") => Syntax::Toml,
            Some("yaml" | "yml") => Syntax::Yaml,
            _ if name.ends_with(".claude.json") => Syntax::Json,
            _ => Syntax::Jsonc,
        }
    }

    /// Finds the servers in a file. It neither panics nor runs long for any bytes.
    pub(super) fn list(self, bytes: &[u8], shape: &Shape, os: Os) -> Result<Listing, Wrong> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Listing::default());
        }
        match self {
            Syntax::Json => json(bytes, shape, os),
            // Most files are plain JSON. The strict parser is faster and builds no tree.
            Syntax::Jsonc => json(bytes, shape, os).or_else(|_| jsonc(text(bytes)?, shape, os)),
            Syntax::Toml => toml(text(bytes)?, shape, os),
            Syntax::Yaml => yaml(text(bytes)?, shape, os),
        }
    }
}

fn text(bytes: &[u8]) -> Result<&str, Wrong> {
    std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        (Some(line_of(before)), Trouble::NotText)
    })
}

fn line_of(before: &[u8]) -> usize {
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

fn json(bytes: &[u8], shape: &Shape, os: Os) -> Result<Listing, Wrong> {
    let wrong = |error: serde_json::Error| (Some(error.line()), Trouble::Syntax("JSON"));
    let mut document = serde_json::Deserializer::from_slice(bytes);
    let found = walk(&mut document, shape, os).map_err(wrong)?;
    document.end().map_err(wrong)?;
    Ok(found)
}

fn jsonc(text: &str, shape: &Shape, os: Os) -> Result<Listing, Wrong> {
    let wrong = |line| (line, Trouble::Syntax("JSON"));
    let document: serde_json::Value = jsonc_parser::parse_to_serde_value(text, &Default::default())
        .map_err(|error| wrong(Some(error.line_display())))?;
    walk(document, shape, os).map_err(|_| wrong(None))
}

fn toml(text: &str, shape: &Shape, os: Os) -> Result<Listing, Wrong> {
    let wrong = |error: toml::de::Error| {
        let line = error.span().and_then(|span| text.as_bytes().get(..span.start)).map(line_of);
        (line, Trouble::Syntax("TOML"))
    };
    walk(toml::de::Deserializer::parse(text).map_err(wrong)?, shape, os).map_err(wrong)
}

fn yaml(text: &str, shape: &Shape, os: Os) -> Result<Listing, Wrong> {
    let wrong = |line| (line, Trouble::Syntax("YAML"));
    let document = yaml::parse(text).map_err(|NotYaml(line)| wrong(line))?;
    walk(document, shape, os).map_err(|_| wrong(None))
}
