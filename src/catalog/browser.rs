//! Browsers: which program is one, what drives it, and which profile folder it was given.

use super::data::Data;
use crate::list::{List, list};
use crate::program::Word;

/// Options that only a program gives to a browser (Chromium, Firefox, WebKit).
#[rustfmt::skip]
const AUTOMATION: List = list!("\
    --enable-automation --headless --inspector-pipe --marionette --remote-debugging-pipe --remote-debugging-port -headless \
    -juggler -juggler-pipe -marionette");
/// Options whose value is a folder of the browser's own.
const FOLDERS: List = list!("--database --disk-cache-dir --profile --user-data-dir -profile");
/// Where temporary profiles lie.
const TEMPORARY: [&str; 4] = ["/tmp/", "/var/tmp/", "/var/folders/", "/private/var/folders/"];

/// Does a program drive this browser? A port to debug by is one that a person may have asked for, too; it says that a
/// browser is automated, and alone does not say that nobody sits before it: [`is_left_to_programs`].
pub(super) fn is_driven<'a>(args: impl Iterator<Item = Word<'a>>) -> bool {
    options(args).any(|(option, _)| AUTOMATION.contains(&option))
}

/// The same without what a person types by hand, to log in once on a server's profile: `--remote-debugging-port=9222`.
/// Programs that need a port leave its number to the browser (0), or say more.
pub(super) fn is_left_to_programs<'a>(args: impl Iterator<Item = Word<'a>>) -> bool {
    options(args).any(|(option, value)| match option.as_str() {
        "--remote-debugging-port" => value == "0",
        _ => AUTOMATION.contains(&option),
    })
}

/// A process that a browser started for itself (a page, the GPU): it belongs to its parent.
pub(super) fn is_part_of_one<'a>(args: impl Iterator<Item = Word<'a>>) -> bool {
    options(args).any(|(option, value)| option == "--type" && value != "browser" || option == "-contentproc")
}

/// A temporary profile folder, in the options of a browser.
pub(super) fn temporary_profile<'a>(args: impl Iterator<Item = Word<'a>>) -> Option<String> {
    folders(args).find(|folder| TEMPORARY.iter().any(|place| folder.starts_with(place)))
}

/// A profile folder that only a server makes, in the options of a browser.
pub(super) fn profile<'a>(
    data: &Data,
    args: impl Iterator<Item = Word<'a>>,
) -> Option<(&'static str, &'static str)> {
    let known = |folder: String| {
        let mut profiles = data.helper.profiles.iter().chain(data.helper.shared_profiles.iter());
        profiles.find(|(part, _)| folder.contains(part))
    };
    folders(args).find_map(known)
}

/// The folders that a browser was given for its own data, and nothing else: neither the program's own path (an image that
/// is mounted below /tmp) nor a page that it shows.
fn folders<'a>(args: impl Iterator<Item = Word<'a>>) -> impl Iterator<Item = String> {
    let mut awaited = false;
    args.take_while(|arg| arg != "--").filter_map(move |arg| {
        if std::mem::take(&mut awaited) {
            return Some(arg.into_owned());
        }
        let (option, value) =
            arg.split_once('=').map_or((&*arg, None), |(option, value)| (option, Some(value)));
        if !FOLDERS.contains(option) {
            return None;
        }
        awaited = value.is_none();
        value.map(str::to_owned)
    })
}

/// Each option with its value, up to `--`.
fn options<'a>(args: impl Iterator<Item = Word<'a>>) -> impl Iterator<Item = (String, String)> {
    let words = args.take_while(|arg| arg != "--").filter(|arg| arg.starts_with('-'));
    words.map(|arg| {
        let (option, value) = arg.split_once('=').unwrap_or((&arg, ""));
        (option.to_owned(), value.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> impl Iterator<Item = Word<'_>> {
        line.split(' ').map(Word::from)
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
            assert_eq!(temporary_profile(words(line)).as_deref(), profile, "{line}");
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
