//! Hides secrets in URLs and connection strings: `user:password@`, query parameters, paths that give access.

use std::borrow::Cow;

use super::HIDDEN;
use super::names::names_a_secret;
use super::shapes::{self, Place};
use super::words::is_harmless;
use crate::word_list::{WordList, list};

/// Query parameters that are secrets in a URL, although their names are harmless elsewhere.
const QUERY_ONLY: WordList = list!("code k s sv");

/// Path segments that a secret follows: `https://host/token/abc/mcp`.
const SEGMENTS: WordList = list!("access-token access_token api-key api_key apikey key pat secret token");

/// The bounds of the password in `name:password@host` without a scheme, as in strings for Go's database drivers
/// (`root:x@tcp(127.0.0.1:3306)/db`) or Oracle's (`jdbc:oracle:thin:scott/tiger@//h`).
pub(super) fn bare_credentials(word: &str) -> Option<(usize, usize)> {
    const NO_NAMES: WordList = list!("file git github jsr link npm patch pkg portal pypi workspace");
    let at = word.find('@').filter(|_| !word.contains("://"))?;
    let before = &word[..at];
    let begin = match before.strip_prefix("jdbc:oracle:") {
        Some(_) => before.rfind(['/', ':'])? + 1,
        None => {
            let (name, password) = before.split_once(':')?;
            let name = name.rsplit('=').next().unwrap_or(name);
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
            let is_name = !name.is_empty() && name.bytes().all(plain) && !NO_NAMES.contains(name);
            (is_name && !password.is_empty() && !password.contains('/')).then_some(at - password.len())?
        }
    };
    let host = &word[at + 1..];
    let version = host.bytes().all(|b| b.is_ascii_digit() || b == b'.') && host.matches('.').count() < 3;
    let is_host = host.contains(['.', ':', '/', '(']) || host == "localhost";
    (is_host && !version && !host.starts_with("sha256:")).then_some((begin, at))
}

/// Hides the secrets in a URL. `text` begins with the scheme, as in `https://u:p@host/path?token=x`.
pub(super) fn hide(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let mut out = format!("{scheme}://");
    let rest = match userinfo_end(scheme, rest) {
        Some(at) => {
            // `$USER:$PASS@` in a shell command is no secret; the `@` stays in any case.
            out.push_str(if is_harmless(&rest[..at]) { &rest[..at] } else { HIDDEN });
            &rest[at..]
        }
        None => rest,
    };
    let path_end = rest.find(['?', '#', ';']).unwrap_or(rest.len());
    let mut segments = rest[..path_end].split('/');
    let mut before = segments.next().unwrap_or_default();
    // A label of the host's name may be a secret: `https://0a1b...4b5.mcp.example.com`.
    out += &before.split('.').map(|label| shapes::hide(label, Place::Url)).collect::<Vec<_>>().join(".");
    for segment in segments {
        out.push('/');
        out += &path_segment(before, segment);
        before = segment;
    }
    // Pairs follow `?`, `#` and `;`, separated by `&` or `;`.
    for part in rest[path_end..].split_inclusive(['?', '#', '&', ';']) {
        let pair = part.strip_suffix(['?', '#', '&', ';']).unwrap_or(part);
        out += &match pair.split_once('=') {
            Some((name, value))
                if (names_a_secret(&decoded(name)) || QUERY_ONLY.contains(name)) && !is_harmless(value) =>
            {
                format!("{name}={}", if value.is_empty() { "" } else { HIDDEN })
            }
            Some((name, value)) => format!("{name}={}", shapes::hide(value, Place::Url)),
            None => shapes::hide(pair, Place::Url).into_owned(),
        };
        out += &part[pair.len()..];
    }
    out
}

/// Hides a segment of the path by the segment before it, or by a name in it: `/token/abc`, `/token:abc`.
fn path_segment<'a>(before: &str, segment: &'a str) -> Cow<'a, str> {
    // `/auth/login` is an ordinary address, but `/auth/Q2x9` gives access.
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b"-_.".contains(&b));
    let named = SEGMENTS.contains(before) || before == "auth" && !plain(segment);
    if let Some((name, value)) = segment.split_once([':', '='])
        && names_a_secret(&decoded(name))
        && !value.is_empty()
    {
        let value = if is_harmless(value) { value } else { HIDDEN };
        Cow::Owned(format!("{}{value}", &segment[..=name.len()]))
    } else if named && !segment.is_empty() && !is_harmless(segment) {
        Cow::Borrowed(HIDDEN)
    } else {
        shapes::hide(segment, Place::Url)
    }
}

/// Decodes the percent signs of a name (RFC 3986, 2.1): `api%5Fkey`.
fn decoded(name: &str) -> String {
    let mut parts = name.split('%');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let byte = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte.filter(u8::is_ascii) {
            Some(byte) => {
                out.push(char::from(byte));
                out.push_str(&part[2..]);
            }
            None => out.push_str(part),
        }
    }
    out
}

/// The index of the `@` that ends the `user:password` before the host, if there is one.
///
/// By the standard (RFC 3986, 3.2.1) this is an `@` before the first `/`, `?` or `#`; `https://host/@scope/package` has
/// none. But people paste passwords with such characters unescaped. So after `name:something` that is no port, and in
/// the URL of a database, the last `@` counts.
fn userinfo_end(scheme: &str, rest: &str) -> Option<usize> {
    const DATABASES: [&str; 9] =
        ["amqp", "amqps", "mariadb", "mongodb", "mysql", "postgres", "postgresql", "redis", "rediss"];
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    if let Some(at) = authority.rfind('@') {
        return Some(at);
    }
    let database = DATABASES.contains(&scheme.split('+').next().unwrap_or(scheme));
    let odd_port = authority
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.is_empty() && !port.bytes().all(|b| b.is_ascii_digit()));
    if database || odd_port && !authority.starts_with('[') { rest.rfind('@') } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_a_url_are_hidden_and_the_rest_stays() {
        for (url, hidden) in [
            ("https://user:pass@host/x", "https://<redacted>@host/x"),
            ("https://ghp_abcdefgh12345678@github.com/u/r.git", "https://<redacted>@github.com/u/r.git"),
            (
                "postgres://u:p@db:5432/notes?sslmode=require",
                "postgres://<redacted>@db:5432/notes?sslmode=require",
            ),
            ("postgresql://u:p/w#1@db/notes", "postgresql://<redacted>@db/notes"),
            ("postgres://u:12/3@db/notes", "postgres://<redacted>@db/notes"),
            ("mongodb+srv://u:p@c.mongodb.net/", "mongodb+srv://<redacted>@c.mongodb.net/"),
            ("redis://:pw@localhost:6379", "redis://<redacted>@localhost:6379"),
            ("https://u:p/w@host", "https://<redacted>@host"),
            ("https://h/mcp?api_key=abc&profile=x", "https://h/mcp?api_key=<redacted>&profile=x"),
            (
                "https://h/?a=1&sig=abc#access_token=def",
                "https://h/?a=1&sig=<redacted>#access_token=<redacted>",
            ),
            ("https://h/s/Q2x9dE5vVGhpc0lzQVRlc3Q0Nw/mcp", "https://h/s/<redacted>/mcp"),
            ("https://h/550e8400-e29b-41d4-a716-446655440000/sse", "https://h/<redacted>/sse"),
            ("https://h/?x=sk-ant-api03-abcdef", "https://h/?x=<redacted>"),
            ("https://h/token:abc/sse", "https://h/token:<redacted>/sse"),
            ("https://h/token=abc/sse", "https://h/token=<redacted>/sse"),
            ("https://h/auth/Q2x9d/sse", "https://h/auth/<redacted>/sse"),
            ("https://h/?api%5Fkey=abc", "https://h/?api%5Fkey=<redacted>"),
            ("https://h/mcp/Zq0a1b9c3d7e5f2a/sse", "https://h/mcp/<redacted>/sse"),
        ] {
            assert_eq!(hide(url), hidden, "{url}");
        }
    }

    #[test]
    fn a_url_without_secrets_stays_as_it_is() {
        for url in [
            "https://registry.npmjs.org/@scope/package",
            "http://localhost:8080/@fs/x",
            "http://[::1]:3000/mcp",
            "https://host/a/b?page=2&sort=name#top",
            "https://$USER@host/",
            "file:///srv/notes",
            "https://host/auth/login",
            "https://host/100%/x?50%=1",
            "https://h/notes/550e8400/sse",
            "://",
            "https://",
        ] {
            assert_eq!(hide(url), url);
        }
    }
}
