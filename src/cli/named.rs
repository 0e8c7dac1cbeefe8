//! The arguments of `explain` and `kill`: a process, a server or a port.

/// What a word on the command line names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// A process.
    Pid(u32),
    /// The processes that listen on this TCP port.
    Port(u16),
    /// All instances of a server: its name, or a pattern.
    Name(String),
}

impl Named {
    /// Parses digits as a pid, digits after a colon as a port, and anything else as a name.
    ///
    /// # Errors
    /// When the text is empty, or is a number that no process and no port can have.
    pub fn parse(text: &str) -> Result<Named, String> {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.strip_prefix(':') {
            Some(port) => {
                port.parse().map(Named::Port).map_err(|_| "a port is a number up to 65535".to_owned())
            }
            None if digits(text) => {
                text.parse().map(Named::Pid).map_err(|_| "no process has such a number".to_owned())
            }
            None if text.is_empty() => Err("name a process, a server or a port".to_owned()),
            None => Ok(Named::Name(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_a_process_digits_behind_a_colon_a_port_and_words_a_server() {
        let name = |text: &str| Ok(Named::Name(text.to_owned()));
        assert_eq!(Named::parse("4242"), Ok(Named::Pid(4242)));
        assert_eq!(Named::parse(":3000"), Ok(Named::Port(3000)));
        for text in ["context7-mcp", "mcp-*", "4242x", "-1", "3.5"] {
            assert_eq!(Named::parse(text), name(text), "{text}");
        }
        for text in ["", ":", ":0x10", ":65536", ":-1", "99999999999"] {
            assert!(Named::parse(text).is_err(), "{text}");
        }
    }
}
