//! Recognizes names of flags, variables, headers and JSON keys whose value is a secret.

use crate::word_list::{WordList, list};

/// Words that make a name the name of a secret, anywhere in it.
const SECRET: WordList = list!(
    "accesskey accountkey adminkey apikey apitoken appkey auth authkey authorization bearer connstr cookie cred
    credential csrf deploykey dsn encryptionkey hmac jwt key licensekey masterkey mfa mnemonic oauth otp pass passcode
    passkey passphrase passwd password pat privatekey pw pwd rootkey sas secret secretkey servicekey sessionkey sharedkey
    sig signature signingkey storagekey subscriptionkey token totp xsrf"
);

/// Endings of words with the same effect: `accesstoken`, `dbpassword`. `key` is not among them, because of `monkey` and
/// `hotkey`.
const SECRET_ENDINGS: WordList = list!("apikey pass passphrase passwd password pwd secret token");

/// Words with such an ending that do not name secrets.
const NO_SECRETS: WordList = list!("bypass compass overpass surpass trespass underpass");

/// Words with the same effect only as the last word: `--user-pin`, but not `--pin-version`. The id of a session gives
/// access to the session.
const SECRET_LAST: WordList = list!("licence license pin salt sessionid sid");

/// Last words that show that the value is only about a secret: `--key-file`, `token-limit`.
const ABOUT: WordList = list!(
    "alg algorithm budget cmd command count dir directory disabled enabled endpoint env expiry file
    folder format helper host id ids kind length lifetime limit manager method mode name names path port
    prefix provider ring scheme server size source space stdin store timeout ttl type uri url usage var
    variable version"
);

/// First words with the same effect: `--max-tokens`, `--no-auth`.
const ABOUT_FIRST: WordList = list!("disable enable is max min no num require skip total use");

/// Must the value of this name be hidden? Recognizes `--api-key`, `API_KEY`, `apiKey` and `X-Api-Key`.
pub(super) fn names_a_secret(name: &str) -> bool {
    let words = words(name);
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return false };
    let texts: Vec<&str> = words.iter().map(String::as_str).collect();
    match texts.as_slice() {
        // Variables of the shell, and values that are public.
        ["pwd" | "oldpwd"] if name.chars().all(char::is_uppercase) => return false,
        ["publickey"] | ["public", "key"] | ["ssh", "auth", "sock"] => return false,
        [.., "connection", "string"] | ["connectionstring" | "basic" | "sk"] => return true,
        // The second half of a login to Vault; the id of a session.
        [.., "secret" | "session", "id"] => return true,
        _ => {}
    }
    if ABOUT.contains(last) || (words.len() > 1 && ABOUT_FIRST.contains(first)) {
        return false;
    }
    SECRET_LAST.contains(last)
        || words.iter().any(|word| {
            let singular = word.strip_suffix('s').unwrap_or(word);
            [word.as_str(), singular].iter().any(|word| {
                let ends = || SECRET_ENDINGS.iter().any(|ending| word.ends_with(ending));
                SECRET.contains(word) || ends() && !NO_SECRETS.contains(word)
            })
        })
}

/// The words of a name in lower case, split at all characters but letters and digits, and at `aB` and `ABc`.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut before = ' ';
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        let humps = c.is_uppercase()
            && (before.is_lowercase()
                || before.is_ascii_digit()
                || (before.is_uppercase() && chars.peek().is_some_and(|next| next.is_lowercase())));
        if (humps || !c.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known_in_every_spelling() {
        for name in [
            "--api-key",
            "API_KEY",
            "apiKey",
            "APIKey",
            "apikey",
            "X-Api-Key",
            "--token",
            "GITHUB_TOKEN",
            "GITHUB_PERSONAL_ACCESS_TOKEN",
            "accessToken",
            "accesstoken",
            "--password",
            "PGPASSWORD",
            "DB_PWD",
            "--passwd",
            "client_secret",
            "Authorization",
            "Proxy-Authorization",
            "--auth",
            "cookie",
            "AZURE_STORAGE_CONNECTION_STRING",
            "connectionString",
            "SENTRY_DSN",
            "GITLAB_PAT",
            "sig",
            "X-Amz-Signature",
            "key",
            "--tokens",
            "OPENAI_API_KEYS",
            "eAPI_KEY",
            "private.key",
            "credentials",
            "--pwd",
            "--dbpass",
            "PGPASS",
            "mysqlPwd",
            "--masterkey",
            "--secret-id",
            "sessionId",
            "--sid",
            "--csrf",
            "--oauth",
        ] {
            assert!(names_a_secret(name), "{name}");
        }
    }

    #[test]
    fn names_about_secrets_and_other_names_are_left() {
        for name in [
            "",
            "--",
            "PWD",
            "OLDPWD",
            "--key-file",
            "TOKEN_PATH",
            "--max-tokens",
            "maxTokens",
            "token-limit",
            "--no-auth",
            "SSH_AUTH_SOCK",
            "public_key",
            "--port",
            "monkey",
            "keyboard",
            "--tokenizer",
            "--author",
            "AWS_ACCESS_KEY_ID",
            "--secret-name",
            "passive",
            "--transport",
            "compass",
            "--bypass",
            "--session-name",
            "--session",
            "sidecar",
            "patch",
        ] {
            assert!(!names_a_secret(name), "{name}");
        }
    }
}
