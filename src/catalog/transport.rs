//! Finds the transport that a server's command line announces, besides stdio.

use super::Catalog;
use crate::bytes::to_text;
use crate::process::ProcessRecord;
use crate::program::Resolution;
use crate::word_list::{WordList, list};

/// Options that announce a listening server, whatever follows them; with `=value` too.
#[rustfmt::skip]
const OPTIONS: WordList = list!("\
    --addr --address --bind --daemon --enable-http --host --http --http-port --listen --listen-address --mcp-port --port \
    --serve-http --server-port --sse --sse-port --stateless-http --streamable-http --streamableHttp --web");
/// Names of such transports, as a word of their own or as an option's value.
const NAMES: WordList =
    list!("http http-stream httpstream shttp sse streamable-http streamable_http streamablehttp");

impl Catalog {
    /// The transport that a launcher's or server's command line announces. `ports` are the TCP ports on which the
    /// instance listens. A word with one of them announces it. If there are none, `--port` may be the port of a
    /// database.
    pub fn announced_transport(
        &self,
        record: &ProcessRecord,
        seen: &Resolution,
        ports: &[u16],
    ) -> Option<String> {
        let argv = record.argv.as_ref()?;
        // A word counts as an announcement only with a listening port or in a container's command line.
        if ports.is_empty() && !is_container(seen) {
            return None;
        }
        // A program that rewrote its title has all words in one string.
        let words: Vec<String> = argv
            .iter()
            .flat_map(|word| to_text(word).split(' ').map(str::to_owned).collect::<Vec<_>>())
            .collect();
        if is_container(seen)
            && let Some(option) = published_port(seen, &words)
        {
            return Some(option);
        }
        let behind_option = |at: usize| at > 0 && words[at - 1].starts_with('-');
        let named =
            |(at, word): &(usize, &String)| announces(word) || names_port(word, behind_option(*at), ports);
        let mut words = words.iter().enumerate().skip(1);
        words.find(named).filter(|_| !ports.is_empty()).map(|(_, word)| word.clone())
    }
}

/// `-p 3000`, `-p3000`, `--x=3000`, `127.0.0.1:3000`, `http://localhost:3000/mcp`. A bare number may be the port at
/// which a login comes back (`mcp-remote URL 3334`).
fn names_port(word: &str, behind_option: bool, ports: &[u16]) -> bool {
    if word.bytes().all(|byte| byte.is_ascii_digit()) && !behind_option {
        return false;
    }
    let numbers = word.split(|c: char| !c.is_ascii_digit()).filter(|number| number.len() > 1);
    numbers.filter_map(|number| number.parse().ok()).any(|number: u16| ports.contains(&number))
}

fn announces(word: &str) -> bool {
    let (option, value) = word.split_once('=').unwrap_or((word, word));
    let is_option = word.starts_with("--") && OPTIONS.contains(option);
    is_option || NAMES.iter().any(|known| known.eq_ignore_ascii_case(value))
}

/// Does a container engine start it?
fn is_container(seen: &Resolution) -> bool {
    let is_engine = |tool: &str| ["docker", "podman", "nerdctl", "finch"].contains(&tool);
    seen.layers.iter().any(|layer| is_engine(&layer.tool))
}

/// The option by which `docker run` lets others reach the container: a published port, or the host's own network.
fn published_port(seen: &Resolution, words: &[String]) -> Option<String> {
    let opens = |(at, word): &(usize, &String)| opens(word, words.get(at + 1).map_or("", String::as_str));
    // The words after the image are those of the server.
    let end = seen.program.as_ref().and_then(|image| words.iter().position(|word| *word == image.text));
    words.iter().enumerate().take(end.unwrap_or(words.len())).find(opens).map(|(_, word)| word.clone())
}

/// Does this option of `docker run` open a way in, or detach the container, which its pipes then do not hold? In all
/// spellings that its parser takes: a value behind `=` or in the next word, switches in one word (`-dP`, `-ip80:80`).
fn opens(word: &str, next: &str) -> bool {
    let of_others = |network: &str| {
        let network = network.strip_prefix("name=").unwrap_or(network);
        network == "host" || network.starts_with("host,") || network.starts_with("container:")
    };
    let (option, value) = word.split_once('=').map_or((word, None), |(option, value)| (option, Some(value)));
    let off = value.is_some_and(|value| matches!(value, "false" | "0" | "f" | "F" | "FALSE" | "False"));
    match option {
        "--publish" | "--pod" => true,
        "--detach" | "--publish-all" => !off,
        "--network" | "--net" => of_others(value.unwrap_or(next)),
        _ if option.starts_with("--") => false,
        _ => {
            // Any other letter takes the rest of the word as its value: -eX, -v/p:/p.
            let mut letters = option.strip_prefix('-').unwrap_or_default().chars();
            !off && letters
                .find(|letter| !matches!(letter, 'i' | 'q' | 't'))
                .is_some_and(|c| matches!(c, 'P' | 'd' | 'p'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::Argv;
    use crate::process::{Pid, StartTime};

    fn announced(line: &str, listens: bool) -> bool {
        let mut record = ProcessRecord::new(Pid(7), StartTime(1));
        record.argv = Some(line.split(' ').collect::<Argv>());
        let ports: &[u16] = if listens { &[8931] } else { &[] };
        Catalog::builtin().announced_transport(&record, &Resolution::of(&record), ports).is_some()
    }

    #[test]
    fn a_transport_is_announced_by_options_and_by_its_name() {
        for line in [
            "python3 /s/server.py --transport streamable-http --port 8931",
            "node dist/index.js streamableHttp",
            "node dist/index.js --transport=sse",
            "npx @playwright/mcp --port 8931",
            "mcp-server-x --http",
            "mcp-server-x -p 8931",
            "mcp-server-x --url http://127.0.0.1:8931/mcp",
        ] {
            assert!(announced(line, true), "{line}");
            assert!(!announced(line, false), "without a listening socket: {line}");
        }
    }

    #[test]
    fn a_remote_address_announces_nothing() {
        for line in [
            "node mcp-remote https://mcp.example.com/sse",
            "node mcp-remote https://mcp.example.com/mcp --transport http-first",
            "node mcp-remote https://mcp.example.com/sse 8931",
            "mcp-server-postgres postgresql://localhost:5432/db",
            "node server-filesystem /srv/http-files",
        ] {
            assert!(!announced(line, true), "{line}");
        }
    }

    #[test]
    fn a_published_port_of_a_container_needs_no_socket_of_our_own() {
        for line in [
            "docker run -i --rm -p 8080:80 mcp/notes",
            "docker run -p8080:80 mcp/notes",
            "docker run -itP mcp/notes",
            "docker run -d mcp/notes",
            "podman run --publish=8080:80 mcp/notes",
            "docker run --network host mcp/notes",
            "docker run --net=host -i mcp/notes",
            "docker run -i --net host mcp/notes",
            "docker run -i --network=name=host,mac-address=x mcp/notes",
            "docker run -i --network container:web mcp/notes",
            "docker run --publish 8080:80 mcp/notes",
            "docker run --publish-all -i mcp/notes",
            "docker run --publish-all=true -i mcp/notes",
            "docker run --detach -i mcp/notes",
            "docker run --detach=true mcp/notes",
            "docker run -ip80:80 mcp/notes",
            "docker run -itp 80:80 mcp/notes",
            "docker run -di mcp/notes",
            "docker run -d=true mcp/notes",
            "podman run -i --pod web mcp/notes",
        ] {
            assert!(announced(line, false), "{line}");
        }
        for line in [
            "docker run -i --rm mcp/notes",
            "docker run -i --rm -e PORT=80 mcp/notes -p 80",
            "docker run -it --network none mcp/notes",
            "docker run -i --network mine mcp/notes",
            "docker run -i --detach=false --publish-all=false mcp/notes",
            "docker run -i -ePORTS=d mcp/notes",
            "docker run -i -v/srv/pd:/pd mcp/notes -d",
            "mkdir -p /srv/mcp",
        ] {
            assert!(!announced(line, false), "{line}");
        }
    }
}
