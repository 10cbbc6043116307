//! Limits and texts, and what is left as it was.

use super::*;

fn faults(settings: &Settings) -> String {
    let mut violations = Violations::default();
    settings.check(&mut violations);
    if violations.is_empty() { String::new() } else { violations.to_string() }
}

fn least() -> Settings {
    Settings {
        runtime: Some("nodejs22.x".to_owned()),
        handler: Some("index.handler".to_owned()),
        role_arn: Some("arn:aws:iam::000000000000:role/r".to_owned()),
        ..Settings::default()
    }
}

#[test]
fn the_defaults_are_those_of_aws() {
    let made = least().create("greet").unwrap();
    assert_eq!(
        (
            made.timeout_seconds,
            made.memory_mb,
            made.tmp_mb,
            made.architecture.as_str(),
            made.tracing.as_str()
        ),
        (3, 128, 512, "x86_64", "PassThrough")
    );
    assert_eq!(made.logging.group, "/aws/lambda/greet");
    assert_eq!((made.logging.format.as_str(), made.logging.application_level), ("Text", None));
}

#[test]
fn a_role_that_is_no_arn_is_a_fault_in_the_words_of_aws() {
    let settings = Settings { role_arn: Some("r1".to_owned()), ..Settings::default() };
    assert_eq!(
        faults(&settings),
        r"1 validation error detected: Value 'r1' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"
    );
    for role in ["arn:aws:iam::000000000000:role/a/b+=,.@-_", "arn:aws-cn:iam::123456789012:rolex"] {
        assert_eq!(faults(&Settings { role_arn: Some(role.to_owned()), ..Settings::default() }), "");
    }
    for role in
        ["arn:aws:iam::1:role/a", "arn:aws:iam::000000000000:user/a", "arn:aws:iam::000000000000:role/a b"]
    {
        assert_ne!(faults(&Settings { role_arn: Some(role.to_owned()), ..Settings::default() }), "");
    }
}

#[test]
fn numbers_have_the_limits_of_aws() {
    let check = |timeout, memory, tmp| {
        faults(&Settings {
            timeout_seconds: Some(timeout),
            memory_mb: Some(memory),
            tmp_mb: Some(tmp),
            ..Settings::default()
        })
    };
    assert_eq!(check(1, 128, 512), "");
    assert_eq!(check(900, 10_240, 10_240), "");
    for (timeout, memory, tmp) in
        [(0, 128, 512), (901, 128, 512), (1, 127, 512), (1, 10_241, 512), (1, 128, 511), (1, 128, 10_241)]
    {
        assert!(check(timeout, memory, tmp).starts_with("1 validation error"), "{timeout} {memory} {tmp}");
    }
}

#[test]
fn architectures_are_one_of_two() {
    let check = |list: &[&str]| {
        faults(&Settings {
            architectures: Some(list.iter().map(|word| (*word).to_owned()).collect()),
            ..Settings::default()
        })
    };
    assert_eq!(check(&["arm64"]), "");
    assert_eq!(
        check(&["x86_64", "arm64"]),
        "1 validation error detected: Value '[x86_64, arm64]' at 'architectures' failed to satisfy constraint: Member must \
         have length less than or equal to 1"
    );
    assert_eq!(
        check(&["X86_64"]),
        "1 validation error detected: Value '[X86_64]' at 'architectures' failed to satisfy constraint: Member must satisfy \
         constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]"
    );
    assert_ne!(check(&[]), "");
}

#[test]
fn each_kind_of_runtime_has_its_refusal() {
    let check = |runtime: &str| {
        Settings { runtime: Some(runtime.to_owned()), ..Settings::default() }
            .check_runtime()
            .map_err(|error| error.to_string())
    };
    for runtime in RUNTIMES {
        assert_eq!(check(runtime), Ok(()));
    }
    assert_eq!(
        check("nodejs14.x").unwrap_err(),
        "The runtime parameter of nodejs14.x is no longer supported for creating or updating AWS Lambda functions. We \
         recommend you use a supported runtime while creating or updating functions."
    );
    assert!(
        check("python3.12").unwrap_err().starts_with("Runtime python3.12 is not supported by Callgate: ")
    );
    let unknown = check("non-existent-runtime").unwrap_err();
    assert!(
        unknown
            .starts_with("Value non-existent-runtime at 'runtime' failed to satisfy constraint: Member must")
    );
    assert!(unknown.ends_with("] or be a valid ARN"));
}

#[test]
fn a_change_leaves_alone_what_it_does_not_name() {
    let was = least().create("greet").unwrap();
    let change =
        Settings { memory_mb: Some(256), description: Some("new".to_owned()), ..Settings::default() };
    let now = change.lay_over(was.clone()).unwrap();
    assert_eq!(now, Configuration { memory_mb: 256, description: "new".to_owned(), ..was });
}

#[test]
fn log_levels_come_and_go_with_the_json_format() {
    let was = least().create("greet").unwrap();
    let with = |logging: LoggingSettings, was: &Configuration| {
        Settings { logging: Some(logging), ..Settings::default() }
            .lay_over(was.clone())
            .map(|now| now.logging)
    };
    let json = LoggingSettings { format: Some("JSON".to_owned()), ..LoggingSettings::default() };
    let info = Some("INFO".to_owned());
    let now = with(json.clone(), &was).unwrap();
    assert_eq!((&now.application_level, &now.system_level), (&info, &info));

    let debug = LoggingSettings { system_level: Some("DEBUG".to_owned()), ..LoggingSettings::default() };
    assert!(with(debug.clone(), &was).is_err(), "the format is Text");
    let now = with(debug, &Configuration { logging: now, ..was.clone() }).unwrap();
    assert_eq!((&now.application_level, now.system_level.as_deref()), (&info, Some("DEBUG")));

    let text = LoggingSettings { format: Some("Text".to_owned()), ..LoggingSettings::default() };
    let now = with(text, &Configuration { logging: now, ..was.clone() }).unwrap();
    assert_eq!(now, was.logging);

    let group = LoggingSettings { group: Some("cool_lambda".to_owned()), ..LoggingSettings::default() };
    assert_eq!(with(group, &was).unwrap(), Logging { group: "cool_lambda".to_owned(), ..was.logging });
}
