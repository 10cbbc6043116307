use std::io::Write as _;

use super::*;
use crate::base::generated;

fn load(file: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    load_with(&[], file, environment)
}

fn load_with(overrides: &[Override], file: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let mut kept = tempfile::NamedTempFile::new().unwrap();
    kept.write_all(file.as_bytes()).unwrap();
    let environment = environment.iter().map(|(name, value)| (name.into(), value.into()));
    Config::load(overrides, environment, Some(kept.path()))
        .map_err(|error| error.to_string().replace(&kept.path().display().to_string(), "callgate.toml"))
}

#[test]
fn an_empty_file_gives_the_defaults() {
    assert_eq!(load("", &[]), Ok(Config::default()));
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let file = "[server]\nlisten = '127.0.0.1:1'\nregion = 'eu-west-1'\ndrain_seconds = 5\n";
    let flag =
        Override { flag: "--listen", section: "server", field: "listen", text: "127.0.0.1:3".to_owned() };
    let environment = [("CALLGATE_SERVER__LISTEN", "127.0.0.1:2"), ("CALLGATE_SERVER__REGION", "eu-north-1")];
    let config = load_with(&[flag], file, &environment).unwrap();
    assert_eq!(config.server.listen.port(), 3);
    assert_eq!(config.server.region.as_str(), "eu-north-1");
    assert_eq!(config.server.drain_seconds, 5);
}

#[test]
fn the_contracts_example_sets_the_concurrency() {
    let config = load("", &[("CALLGATE_LIMITS__ACCOUNT_CONCURRENCY", "1000")]).unwrap();
    assert_eq!(config.limits.account_concurrency, 1000);
}

#[test]
fn all_problems_are_listed_at_once_each_with_its_place() {
    let file = "\
listen = '127.0.0.1:1'

[limits]
account_concurency = 5
account_rate = 'many'
region = 'eu-west-1'

[sandbox]
idle_seconds = 0

[servr]
listen = '127.0.0.1:1'
";
    let environment = [
        ("CALLGATE_LIMITS_ACCOUNT_RATE", "5"),
        ("CALLGATE_LOG__FORMAT", "xml"),
        ("CALLGATE_ROOT_ACCESS_KEY_ID", "AKIA"),
        ("PATH", "/bin"),
    ];
    insta::assert_snapshot!(load(file, &environment).unwrap_err(), @r#"
    there are 8 problems with the configuration:
      callgate.toml line 5, [limits] account_rate: must be a whole number from 1 to 1000000, not "many"
      callgate.toml line 9, [sandbox] idle_seconds: must be a whole number from 1 to 86400, not 0
      CALLGATE_LOG__FORMAT: must be "text" or "json", not "xml"
      callgate.toml line 4, [limits] account_concurency: there is no such key; did you mean account_concurrency?
      callgate.toml line 6, [limits] region: there is no such key in [limits]; it belongs in [server]
      callgate.toml line 1, listen: this key stands outside of every section; it belongs in [server]
      callgate.toml line 11, [servr]: there is no such section; did you mean [server]?
      CALLGATE_LIMITS_ACCOUNT_RATE: no setting has this environment variable; did you mean CALLGATE_LIMITS__ACCOUNT_RATE?
    "#);
}

#[test]
fn a_broken_file_names_its_line() {
    insta::assert_snapshot!(load("[server]\nlisten = \n", &[]).unwrap_err(), @"
    there is a problem with the configuration:
      callgate.toml line 2: this is not TOML: string values must be quoted, expected literal string
    ");
}

#[test]
fn a_missing_file_is_named() {
    let error = Config::load(&[], [], Some(Path::new("/nowhere/callgate.toml"))).unwrap_err().to_string();
    insta::assert_snapshot!(error, @"the configuration file /nowhere/callgate.toml cannot be read: No such file or directory (os error 2)");
}

#[test]
fn beyond_loopback_nothing_is_served_unprotected() {
    insta::assert_snapshot!(
        load("[server]\nlisten = '0.0.0.0:7070'\nmanagement_listen = '0.0.0.0:7070'\n", &[]).unwrap_err(),
        @"
    there are 4 problems with the configuration:
      [server] public_url: required, since listen = 0.0.0.0:7070 is beyond loopback: the URL under which clients reach it
      [server] listen: 0.0.0.0:7070 is beyond loopback and nothing protects it: set tls_certificate and tls_key, or behind_tls_proxy = true if a proxy ends TLS, or allow_plaintext = true to go without
      [server] management_listen: must differ from listen
      [server] management_listen: 0.0.0.0:7070 is beyond loopback and nothing protects it: set tls_certificate and tls_key, or behind_tls_proxy = true if a proxy ends TLS, or allow_plaintext = true to go without
    "
    );
    let safe = "[server]\nlisten = '0.0.0.0:7070'\npublic_url = 'https://gate.example.com'\n";
    for protection in
        ["behind_tls_proxy = true", "allow_plaintext = true", "tls_certificate = 'a'\ntls_key = 'b'"]
    {
        assert!(load(&format!("{safe}{protection}\n"), &[]).is_ok(), "{protection}");
    }
    assert!(load(safe, &[]).is_err());
}

#[test]
fn half_a_certificate_pair_is_refused() {
    insta::assert_snapshot!(load("[server]\ntls_certificate = 'a.pem'\n", &[]).unwrap_err(), @"
    there is a problem with the configuration:
      [server] tls_key: required, since tls_certificate is set
    ");
}

#[test]
fn numbers_keep_to_their_bounds() {
    for (text, fits) in
        [("0", false), ("1", true), ("1000000", true), ("1000001", false), ("-1", false), ("1.5", false)]
    {
        let file = format!("[limits]\ncaller_rate = {text}\n");
        assert_eq!(load(&file, &[]).is_ok(), fits, "{text}");
        assert_eq!(load("", &[("CALLGATE_LIMITS__CALLER_RATE", text)]).is_ok(), fits, "{text}");
    }
}

#[test]
fn lists_are_arrays_in_the_file_and_commas_in_the_environment() {
    let file = load("[server]\ntrusted_proxies = ['10.0.0.0/8', '::1']\n", &[]).unwrap();
    let variable = load("", &[("CALLGATE_SERVER__TRUSTED_PROXIES", "10.0.0.0/8, ::1")]).unwrap();
    assert_eq!(file, variable);
    assert_eq!(file.server.trusted_proxies.len(), 2);
}

#[test]
fn what_may_be_reached_is_an_address_a_network_or_a_name() {
    for (text, fits) in [
        ("10.1.2.3", true),
        ("fd00::/8", true),
        ("issuer.internal", true),
        ("10.1.0.0/33", false),
        ("a b", false),
    ] {
        assert_eq!(load("", &[("CALLGATE_OUTBOUND__ALLOWED", text)]).is_ok(), fits, "{text:?}");
    }
}

#[test]
fn a_log_level_is_a_level_or_a_directive() {
    for (text, fits) in [
        ("debug", true),
        ("info,callgate::edge=trace", true),
        ("", false),
        ("loud", false),
        ("a=loud", false),
    ] {
        assert_eq!(load("", &[("CALLGATE_LOG__LEVEL", text)]).is_ok(), fits, "{text:?}");
    }
}

#[test]
fn what_is_in_force_is_printed_so_that_it_can_be_read_again() {
    let config = load(
        "[server]\nlisten = '127.0.0.1:1'\ntrusted_proxies = ['10.0.0.0/8']\n[runtime]\nnode = '/a\"b\\\\c'\n",
        &[("CALLGATE_LIMITS__CALLER_RATE", "7")],
    )
    .unwrap();
    assert_eq!(load(&effective(&config), &[]), Ok(config));
}

#[test]
fn the_reference_in_docs_is_up_to_date() {
    generated::compare("docs/configuration.md", &reference());
}
