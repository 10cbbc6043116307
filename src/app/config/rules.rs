//! `limits.rules`: limits that an operator adds.

use std::{num::NonZeroU32, time::Duration};

use toml::de::{DeTable, DeValue};

use super::field::{Field, Given, quote};
use crate::quota::{By, Class, FULL_AFTER_MAX, NAMES_TAKEN, RULES_MAX, Rate, Rule};

/// The rules, in the order in which they were written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rules(pub Vec<Rule>);

/// The longest name of a rule, in characters.
const NAME_CHARS_MAX: usize = 64;
/// The most functions, pools or apps that one rule names.
const ONLY_MAX: usize = 64;
/// The highest rate and burst.
const TOKENS_MAX: u32 = 1_000_000;
const MEMBERS: [&str; 7] = ["name", "by", "class", "rate", "per", "burst", "only"];
const PERIODS: [(&str, u64); 4] = [("second", 1), ("minute", 60), ("hour", 3600), ("day", 86_400)];

type Table<'a> = DeTable<'a>;

fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ")
}

fn text<'a>(table: &'a Table<'_>, member: &str) -> Result<Option<&'a str>, String> {
    match table.get(member) {
        None => Ok(None),
        Some(value) => match value.get_ref().as_str() {
            Some(text) => Ok(Some(text)),
            None => Err(format!("{member} must be a text")),
        },
    }
}

fn tokens(table: &Table<'_>, member: &str) -> Result<Option<NonZeroU32>, String> {
    let Some(value) = table.get(member) else { return Ok(None) };
    let number = <u32 as Field>::read(&Given::Value(value.get_ref())).filter(|number| *number <= TOKENS_MAX);
    match number.and_then(NonZeroU32::new) {
        Some(number) => Ok(Some(number)),
        None => Err(format!("{member} must be a whole number from 1 to {TOKENS_MAX}")),
    }
}

fn only(table: &Table<'_>) -> Result<Vec<std::sync::Arc<str>>, String> {
    let Some(value) = table.get("only") else { return Ok(Vec::new()) };
    let fault = || format!("only must be a list of 1 to {ONLY_MAX} texts of 1 to 256 characters");
    let list = value.get_ref().as_array().filter(|list| (1..=ONLY_MAX).contains(&list.len()));
    let names = list.ok_or_else(fault)?.iter().map(|item| {
        let name = item.get_ref().as_str().filter(|name| (1..=256).contains(&name.len()));
        name.map(Into::into).ok_or_else(fault)
    });
    names.collect()
}

fn rule(value: &DeValue<'_>) -> Result<Rule, String> {
    let table = value.as_table().ok_or("each rule must be a table")?;
    let name = text(table, "name")?.ok_or("each rule needs a name, which its refusals show")?;
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.bytes().all(is_word) {
        return Err(format!("a rule's name has 1 to {NAME_CHARS_MAX} ASCII letters, digits, - and _"));
    }
    if NAMES_TAKEN.contains(&name) {
        return Err(format!("{name} is the name of a limit that is always there: choose another"));
    }
    let of = |what: String| format!("rule {name}: {what}");
    let unknown = table.keys().find(|key| !MEMBERS.contains(&key.get_ref().as_ref()));
    if let Some(unknown) = unknown {
        let unknown = unknown.get_ref();
        return Err(of(format!("there is no {unknown}; a rule has {}", MEMBERS.join(", "))));
    }
    let bys = || words(By::OF_RULES.map(By::as_str));
    let by = text(table, "by").map_err(of)?;
    let by = By::OF_RULES.into_iter().find(|known| Some(known.as_str()) == by);
    let by = by.ok_or_else(|| of(format!("by must be one of {}", bys())))?;
    let class = match text(table, "class").map_err(of)? {
        None => None,
        Some(word) => {
            let fitting = || Class::ALL.into_iter().filter(|class| Rule::fits(by, *class));
            let class = fitting().find(|class| class.as_str() == word);
            let fault = || {
                let words = words(fitting().map(Class::as_str));
                of(format!("class must be one of {words} for rules by {}, or left out", by.as_str()))
            };
            Some(class.ok_or_else(fault)?)
        }
    };
    let rate = tokens(table, "rate").map_err(of)?;
    let rate = rate.ok_or_else(|| of("rate is missing: how many requests there may be".to_owned()))?;
    let per = text(table, "per").map_err(of)?.unwrap_or("second");
    let per = PERIODS.iter().find(|(word, _)| *word == per).map(|(_, seconds)| *seconds);
    let per =
        per.ok_or_else(|| of(format!("per must be one of {}", words(PERIODS.map(|(word, _)| word)))))?;
    let burst = tokens(table, "burst").map_err(of)?.unwrap_or(rate);
    let rate = Rate { tokens: rate, per: Duration::from_secs(per), burst };
    if rate.full_after() > FULL_AFTER_MAX {
        return Err(of("its burst takes more than 30 days to come back: choose a smaller one".to_owned()));
    }
    let only = only(table).map_err(of)?;
    match by {
        By::App if only.is_empty() => {
            Err(of("only must name the apps: a package name that nobody named is just a claim".to_owned()))
        }
        By::Address | By::Identity if !only.is_empty() => {
            Err(of(format!("only does not go with rules by {}", by.as_str())))
        }
        _ => Ok(Rule { name: name.into(), by, class, rate, only }),
    }
}

fn rules(value: &DeValue<'_>) -> Result<Rules, String> {
    let list = value.as_array().ok_or("must be a list of tables, [[limits.rules]]")?;
    if list.len() > RULES_MAX {
        return Err(format!("there may be at most {RULES_MAX} rules, not {}", list.len()));
    }
    let rules = list.iter().map(|item| rule(item.get_ref())).collect::<Result<Vec<_>, _>>()?;
    for (at, rule) in rules.iter().enumerate() {
        if rules.iter().take(at).any(|earlier| earlier.name == rule.name) {
            return Err(format!("two rules have the name {}", rule.name));
        }
    }
    Ok(Rules(rules))
}

fn parse(given: &Given<'_>) -> Result<Rules, String> {
    match given {
        Given::Text("") => Ok(Rules::default()),
        Given::Text(text) => {
            let table = format!("rules = {text}");
            let table =
                DeTable::parse(&table).map_err(|error| format!("this is not TOML: {}", error.message()))?;
            match table.get_ref().get("rules") {
                Some(value) if table.get_ref().len() == 1 => rules(value.get_ref()),
                _ => Err("must be a list of tables".to_owned()),
            }
        }
        Given::Value(value) => rules(value),
    }
}

/// An array of tables in the file; in the environment the same as a text in TOML.
impl Field for Rules {
    const KIND: &'static str = "a list of tables with name, by, class, rate, per, burst and only";

    fn read(given: &Given<'_>) -> Option<Self> {
        parse(given).ok()
    }

    fn fault(given: &Given<'_>) -> Option<String> {
        parse(given).err()
    }

    fn show(&self) -> Option<String> {
        let shown = self.0.iter().map(|rule| {
            let Rule { name, by, class, rate, only } = rule;
            let mut members = vec![format!("name = {}", quote(name)), format!("by = {}", quote(by.as_str()))];
            members.extend(class.map(|class| format!("class = {}", quote(class.as_str()))));
            members.push(format!("rate = {}", rate.tokens));
            let period = PERIODS.iter().find(|(_, seconds)| Duration::from_secs(*seconds) == rate.per);
            members.extend(period.map(|(word, _)| format!("per = {}", quote(word))));
            members.push(format!("burst = {}", rate.burst));
            if !only.is_empty() {
                let only: Vec<_> = only.iter().map(|name| quote(name)).collect();
                members.push(format!("only = [{}]", only.join(", ")));
            }
            format!("{{ {} }}", members.join(", "))
        });
        Some(format!("[{}]", shown.collect::<Vec<_>>().join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Rules, String> {
        parse(&Given::Text(text))
    }

    #[test]
    fn rules_are_read_and_shown_as_they_are_written() {
        let text = r#"[{ name = "day", by = "address", class = "guests", rate = 20, per = "day", burst = 5 }, { name = "game", by = "app", rate = 1_000, only = ["com.example.game"] }]"#;
        let rules = read(text).unwrap();
        assert_eq!(
            rules.0[0],
            Rule {
                name: "day".into(),
                by: By::Address,
                class: Some(Class::Guests),
                rate: Rate {
                    tokens: NonZeroU32::new(20).unwrap(),
                    per: Duration::from_secs(86_400),
                    burst: NonZeroU32::new(5).unwrap(),
                },
                only: Vec::new(),
            }
        );
        assert_eq!((rules.0[1].rate.burst.get(), rules.0[1].rate.per), (1000, Duration::from_secs(1)));
        assert_eq!(read(&rules.show().unwrap()).unwrap(), rules);
        assert_eq!(read("").unwrap(), Rules::default());
    }

    #[test]
    fn the_ten_rules_of_the_documentation_are_read() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/limits.md");
        let text = std::fs::read_to_string(path).unwrap();
        let toml = text.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        let table = DeTable::parse(toml).unwrap();
        let limits = table.get_ref().get("limits").unwrap().get_ref().as_table().unwrap();
        assert_eq!(rules(limits.get("rules").unwrap().get_ref()).unwrap().0.len(), 10);
    }

    #[test]
    fn what_is_wrong_with_a_rule_is_said() {
        for (text, word) in [
            ("7", "must be a list of tables"),
            ("[7]", "each rule must be a table"),
            ("[", "not TOML"),
            ("[]\nother = 1", "must be a list of tables"),
            (r#"[{ by = "address", rate = 1 }]"#, "needs a name"),
            (r#"[{ name = "a b", by = "address", rate = 1 }]"#, "letters, digits"),
            (r#"[{ name = "address_rate", by = "address", rate = 1 }]"#, "always there"),
            (r#"[{ name = "a", by = "moon", rate = 1 }]"#, r#"by must be one of "function""#),
            (r#"[{ name = "a", by = "account", rate = 1 }]"#, "by must be one of"),
            (r#"[{ name = "a", by = "function", class = "guests", rate = 1 }]"#, r#"one of "invoke""#),
            (r#"[{ name = "a", by = "identity", class = "guests", rate = 1 }]"#, "for rules by identity"),
            (r#"[{ name = "a", by = "address" }]"#, "rate is missing"),
            (r#"[{ name = "a", by = "address", rate = 0 }]"#, "from 1 to 1000000"),
            (r#"[{ name = "a", by = "address", rate = 1, per = "week" }]"#, r#"per must be one of "second""#),
            (r#"[{ name = "a", by = "address", rate = 1, per = "day", burst = 31 }]"#, "30 days"),
            (r#"[{ name = "a", by = "address", rate = 1, brust = 2 }]"#, "there is no brust"),
            (r#"[{ name = "a", by = "app", rate = 1 }]"#, "only must name the apps"),
            (r#"[{ name = "a", by = "address", rate = 1, only = ["x"] }]"#, "only does not go with"),
            (r#"[{ name = "a", by = "pool", rate = 1, only = [] }]"#, "only must be a list"),
            (
                r#"[{ name = "a", by = "pool", rate = 1 }, { name = "a", by = "address", rate = 1 }]"#,
                "two rules",
            ),
        ] {
            let why = read(text).unwrap_err();
            assert!(why.contains(word), "{text}: {why}");
        }
        let many: Vec<_> =
            (0..65).map(|n| format!(r#"{{ name = "r{n}", by = "address", rate = 1 }}"#)).collect();
        assert!(read(&format!("[{}]", many.join(","))).unwrap_err().contains("at most 64"));
    }

    proptest! {
        #[test]
        fn nothing_that_is_written_ends_the_reading(text in ".{0,200}") {
            let _ = read(&text);
        }
    }
}
