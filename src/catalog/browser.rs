//! Browsers: which program is one, whether a program controls it, and its profile folder.

use super::data::{Data, Helper};
use crate::word_list::{WordList, list};

/// Options that only a program, and no person, gives to a browser (Chromium, Firefox, WebKit).
#[rustfmt::skip]
const AUTOMATION: WordList = list!("\
    --enable-automation --headless --inspector-pipe --marionette --remote-debugging-pipe --remote-debugging-port -headless \
    -juggler -juggler-pipe -marionette");
/// Options whose value is a folder for the browser's own data.
const FOLDERS: WordList = list!("--database --disk-cache-dir --profile --user-data-dir -profile");
/// The folders of temporary profiles.
const TEMPORARY: [&str; 4] = ["/tmp/", "/var/tmp/", "/var/folders/", "/private/var/folders/"];

/// A profile folder that shows that a program started the browser.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Profile<'a> {
    /// The beginning of a name that only one server gives to its folder, and that server.
    Servers(&'static str, &'static str),
    /// A temporary profile, made by any program.
    Temporary(&'a str),
}

impl Data {
    /// Is it a browser, or a process that a browser starts for itself?
    pub(super) fn is_browser(&self, name: &str) -> bool {
        self.helper.browsers.contains(&name)
            || self.helper.browser_helpers.iter().any(|known| name.starts_with(known))
    }

    /// The profile folder in the options of a browser that shows that a program started it. A server's folder is
    /// preferred to a temporary one.
    pub(super) fn profile<'a>(&self, args: impl Iterator<Item = &'a str>) -> Option<Profile<'a>> {
        let Helper { profiles, shared_profiles, .. } = &self.helper;
        let mut temporary = None;
        for folder in folders(args) {
            let known = profiles.iter().chain(shared_profiles.iter()).find(|(part, _)| folder.contains(part));
            if let Some((part, server)) = known {
                return Some(Profile::Servers(part, server));
            }
            temporary =
                temporary.or(Some(folder).filter(|folder| TEMPORARY.iter().any(|at| folder.starts_with(at))));
        }
        temporary.map(Profile::Temporary)
    }
}

/// Does a program control this browser? A debugging port counts as a sign, although a person may have given it.
/// [`is_left_to_programs`] is stricter.
pub(super) fn is_driven<'a>(args: impl Iterator<Item = &'a str>) -> bool {
    options(args).any(|(option, _)| AUTOMATION.contains(option))
}

/// [`is_driven`] without the option that a person types to log in once on a server's profile:
/// `--remote-debugging-port=9222`. A program that needs a port leaves its number to the browser (0), or gives more
/// options.
pub(super) fn is_left_to_programs<'a>(args: impl Iterator<Item = &'a str>) -> bool {
    options(args).any(|(option, value)| match option {
        "--remote-debugging-port" => value == Some("0"),
        _ => AUTOMATION.contains(option),
    })
}

/// Is it a process that a browser started for itself (a page, the GPU)? It belongs to its parent.
pub(super) fn is_part_of_one<'a>(args: impl Iterator<Item = &'a str>) -> bool {
    let own = |(option, value)| option == "--type" && value != Some("browser") || option == "-contentproc";
    options(args).any(own)
}

/// The folders that a browser was given for its own data. The program's own path (an image that is mounted below /tmp)
/// and the pages that it shows are not among them.
fn folders<'a>(args: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    let mut awaited = false;
    args.take_while(|arg| *arg != "--").filter_map(move |arg| {
        if std::mem::take(&mut awaited) {
            return Some(arg);
        }
        let (option, value) = option(arg)?;
        let known = FOLDERS.contains(option);
        awaited = known && value.is_none();
        value.filter(|_| known)
    })
}

/// Each option with its value, up to `--`.
fn options<'a>(args: impl Iterator<Item = &'a str>) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
    args.take_while(|arg| *arg != "--").filter_map(option)
}

fn option(arg: &str) -> Option<(&str, Option<&str>)> {
    arg.starts_with('-').then(|| arg.split_once('=').map_or((arg, None), |(name, value)| (name, Some(value))))
}

#[cfg(test)]
mod tests {
    use super::super::data::DATA;
    use super::*;

    fn words(line: &str) -> impl Iterator<Item = &str> {
        line.split(' ')
    }

    #[test]
    fn a_profile_is_what_an_option_names_and_no_other_path() {
        for (line, profile) in [
            ("--user-data-dir=/tmp/x", Some("/tmp/x")),
            ("--user-data-dir /tmp/x", Some("/tmp/x")),
            ("-profile /var/folders/a/b", Some("/var/folders/a/b")),
            ("--no-first-run --profile /tmp/x", Some("/tmp/x")),
            ("--profile=/tmp/x", Some("/tmp/x")),
            ("/tmp/report.html", None),
            ("file:///tmp/report.html", None),
            ("--new-window /tmp/report.html", None),
            ("-P work /tmp/report.html", None),
            ("--user-data-dir=/home/u/p /tmp/report.html", None),
            ("-- --user-data-dir=/tmp/x", None),
        ] {
            assert_eq!(DATA.profile(words(line)), profile.map(Profile::Temporary), "{line}");
        }
    }

    #[test]
    fn a_port_that_was_chosen_by_hand_leaves_no_browser_to_programs() {
        for (line, driven, left) in [
            ("--headless=new", true, true),
            ("--remote-debugging-pipe", true, true),
            ("-juggler-pipe", true, true),
            ("--remote-debugging-port=0", true, true),
            ("--remote-debugging-port=9222", true, false),
            ("--remote-debugging-port=9222 --enable-automation", true, true),
            ("https://x/?q=--headless", false, false),
            ("-- --headless", false, false),
            ("", false, false),
        ] {
            assert_eq!((is_driven(words(line)), is_left_to_programs(words(line))), (driven, left), "{line}");
        }
    }
}
