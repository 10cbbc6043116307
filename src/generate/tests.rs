//! Files of schemas, right and wrong, and changes of them: cases as data, and any bytes.

use proptest::prelude::*;
use serde_json::Value;

use super::{
    Direction, Fault, Model, Options, against, java, kotlin,
    model::{Kind, Shape},
    parse, swift,
};

const REFUSED: &str = include_str!("../../tests/vectors/schemas/refused.json");
const CHANGES: &str = include_str!("../../tests/vectors/schemas/changes.json");

fn vectors(text: &str) -> Vec<Value> {
    let mut file: Value = serde_json::from_str(text).unwrap();
    serde_json::from_value(file["vectors"].take()).unwrap()
}

fn options() -> Options {
    Options { interface: "Backend".to_owned(), package: "com.example".to_owned() }
}

/// Everything that is made of a model.
fn all(model: &Model) -> String {
    let sources = [java, kotlin, swift].into_iter().flat_map(|emit| emit(model, &options()));
    sources.map(|source| source.path + "\n" + &source.text).collect()
}

#[test]
fn what_no_type_can_be_made_of_is_refused_by_place() {
    for vector in vectors(REFUSED) {
        let id = &vector["id"];
        let file = vector["raw"].as_str().map_or_else(|| vector["file"].to_string(), str::to_owned);
        let Err(fault) = parse(file.as_bytes(), "function") else { panic!("{id} is taken") };
        assert_eq!(fault.pointer, vector["pointer"].as_str().unwrap(), "{id}: {fault}");
        assert!(fault.what.contains(vector["says"].as_str().unwrap()), "{id}: {fault}");
        assert!(fault.to_string().starts_with("callgate.schemas.json"), "{fault}");
    }
}

#[test]
fn what_is_too_large_or_no_text_is_refused() {
    let large = vec![b' '; super::FILE_BYTES_MAX + 1];
    assert!(parse(&large, "f").unwrap_err().what.contains("more than 262144 bytes"));
    assert!(parse(b"\"\xff\"", "f").unwrap_err().what.contains("UTF-8"));
    assert!(parse("[".repeat(100_000).as_bytes(), "f").is_err());
}

#[test]
fn every_number_is_bounded() {
    let list =
        |count: usize, item: &dyn Fn(usize) -> String| (0..count).map(item).collect::<Vec<_>>().join(", ");
    let values = |count| format!(r#"{{"input": {{"enum": [{}]}}}}"#, list(count, &|n| format!("\"{n}\"")));
    let member = |n| format!(r#""m{n}": {{"type": "string"}}"#);
    let members =
        |count| format!(r#"{{"input": {{"type": "object", "properties": {{{}}}}}}}"#, list(count, &member));
    let definitions = |count| format!(r#"{{"$defs": {{{}}}}}"#, list(count, &member));
    let empty = |n| format!(r#""m{n}": {{"type": "object", "properties": {{}}}}"#);
    let ten = format!(r#"{{"type": "object", "properties": {{{}}}}}"#, list(9, &empty));
    let types = |count| format!(r#"{{"$defs": {{{}}}}}"#, list(count, &|n| format!(r#""d{n}": {ten}"#)));
    let link = |n| format!(r##""a{n}": {{"type": "array", "items": {{"$ref": "#/$defs/a{}"}}}}"##, n + 1);
    let chain =
        |count| format!(r#"{{"$defs": {{{}, "a{count}": {{"type": "string"}}}}}}"#, list(count, &link));
    type Case<'a> = (&'a dyn Fn(usize) -> String, usize, &'a str);
    let cases: [Case<'_>; 5] = [
        (&values, 400, "from 1 to 400 strings"),
        (&members, 100, "more than 100 members"),
        (&definitions, 400, "more than 400 definitions"),
        (&types, 40, "more than 400 objects and enums"),
        (&chain, 24, "too deep"),
    ];
    for (file, most, says) in cases {
        assert!(parse(file(most).as_bytes(), "f").is_ok(), "{says}");
        let fault = parse(file(most + 1).as_bytes(), "f").unwrap_err();
        assert!(fault.what.contains(says), "{fault}");
    }
}

#[test]
fn a_change_is_weighed_as_the_table_says() {
    for vector in vectors(CHANGES) {
        let id = &vector["id"];
        let read = |side: &str| {
            parse(vector[side].to_string().as_bytes(), "f").unwrap_or_else(|fault| panic!("{id}: {fault}"))
        };
        let found: Vec<(String, String, bool)> = against(&read("old"), &read("new"))
            .into_iter()
            .map(|change| {
                assert!(!change.was.is_empty() && !change.is.is_empty() && !change.remedy.is_empty(), "{id}");
                assert_ne!(change.was, change.is, "{id}");
                let direction = if change.direction == Direction::Input { "input" } else { "output" };
                (direction.to_owned(), change.pointer, change.breaks)
            })
            .collect();
        let expected: Vec<(String, String, bool)> = vector["changes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|change| {
                let text = |name: &str| change[name].as_str().unwrap().to_owned();
                (text("direction"), text("pointer"), change["breaks"].as_bool().unwrap())
            })
            .collect();
        assert_eq!(found, expected, "{id}: {}", vector["why"]);
    }
}

#[test]
fn nothing_changes_between_a_file_and_itself() {
    for vector in vectors(CHANGES) {
        for side in ["old", "new"] {
            let model = parse(vector[side].to_string().as_bytes(), "f").unwrap();
            assert_eq!(against(&model, &model), [], "{}", vector["id"]);
        }
    }
}

#[test]
fn types_have_the_names_of_their_definitions_or_places() {
    let file = r##"{
        "input": { "type": "object", "properties": {
            "line-items": { "type": "array", "items": { "type": "object", "properties": {} } },
            "mood": { "enum": ["a"] },
            "prices": { "type": "object", "additionalProperties": { "type": "object", "properties": {} } },
            "own": { "$ref": "#/$defs/price_list" }
        } },
        "$defs": { "price_list": { "type": "object", "properties": {} }, "Price_List": { "enum": ["b"] },
            "OrdersInput": { "enum": ["c"] }, "ids": { "type": "array", "items": { "type": "string" } } }
    }"##;
    let model = parse(file.as_bytes(), "orders").unwrap();
    let names: Vec<&str> = model.types.iter().map(|named| named.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "PriceList",
            "PriceList2",
            "OrdersInput",
            "OrdersInput2LineItemsItem",
            "OrdersInput2Mood",
            "OrdersInput2PricesValue",
            "OrdersInput2",
        ]
    );
    assert_eq!(model.functions[0].input.shape, Shape::Named("OrdersInput2".to_owned()));
    assert_eq!(model.functions[0].output.shape, Shape::Any, "what is not described may be anything");
}

#[test]
fn the_longest_chain_of_objects_is_read_written_and_compared() {
    let link = |n: usize| {
        format!(
            r##""a{n}": {{ "type": "object", "properties": {{ "next": {{ "$ref": "#/$defs/a{}" }} }} }}"##,
            n + 1
        )
    };
    let chain: Vec<String> = (0..399).map(link).collect();
    let file = |last: &str| {
        format!(
            r##"{{ "output": {{ "$ref": "#/$defs/a0" }}, "$defs": {{ {}, "a399": {{ "type": "object", "properties":
            {{ "next": {{ "type": "{last}" }} }} }} }} }}"##,
            chain.join(", ")
        )
    };
    let (old, new) = (file("string"), file("integer"));
    let (old, new) = (parse(old.as_bytes(), "f").unwrap(), parse(new.as_bytes(), "f").unwrap());
    assert!(all(&old).contains("A399"));
    assert_eq!(against(&old, &new).len(), 1);
    assert!(old.holds_in_place("A0", "A399") && !old.holds_in_place("A399", "A0"));
}

#[test]
fn functions_share_what_is_alike_and_clash_by_name() {
    let score = |member: &str, says: &str| {
        let file = format!(
            r##"{{ "output": {{ "$ref": "#/$defs/Score" }}, "$defs": {{ "Score": {{ "type": "object", "description": "{says}",
            "properties": {{ "{member}": {{ "type": "string", "description": "{says}" }} }} }} }} }}"##
        );
        file.into_bytes()
    };
    let one = parse(&score("player", "first"), "one").unwrap();
    let same = parse(&score("player", "second"), "same").unwrap();
    let other = parse(&score("name", "first"), "other").unwrap();
    let merged = Model::merge(vec![one.clone(), same]).unwrap();
    assert_eq!(merged.types, one.types);
    assert_eq!(merged.functions.len(), 2);
    let clash = Model::merge(vec![one.clone(), other]).unwrap_err().to_string();
    assert!(clash.starts_with("one and other have different types of the name Score"), "{clash}");
    assert_eq!(
        Model::merge(vec![one.clone(), one]).unwrap_err().to_string(),
        "one is given twice: leave one out"
    );
}

#[test]
fn the_same_model_is_written_alike_each_time_under_its_header() {
    let file = include_bytes!("../../tests/vectors/generate/shapes/callgate.schemas.json");
    let model = parse(file, "shapes").unwrap();
    assert_eq!(all(&model), all(&parse(file, "shapes").unwrap()));
    for source in [java, kotlin, swift].into_iter().flat_map(|emit| emit(&model, &options())) {
        let first = source.text.lines().next().unwrap();
        assert_eq!(first, "// Generated by callgate generate for Backend; do not edit.", "{}", source.path);
        assert!(source.text.ends_with('\n') && !source.text.contains(" \n"), "{}", source.path);
    }
}

#[test]
fn java_is_ascii_and_comments_end_where_they_should() {
    let hostile = r#"*/ } class Evil {} /* \\u002a/ @Inject <b> \u2028 größe ${x} """ /** nested"#;
    let file = format!(
        r#"{{ "description": "{hostile}", "input": {{ "type": "object", "description": "{hostile}", "properties": {{
            "{hostile}": {{ "type": "string", "description": "{hostile}", "default": "{hostile}", "deprecated": true }},
            "mood": {{ "enum": ["{hostile}"], "description": "{hostile}" }} }} }} }}"#,
        hostile = hostile.replace('"', "\\\"")
    );
    let model = parse(file.as_bytes(), "f").unwrap();
    for source in java(&model, &options()) {
        assert!(source.text.is_ascii(), "{}", source.text);
    }
    for source in [java, kotlin].into_iter().flat_map(|emit| emit(&model, &options())) {
        let ends = source.text.matches("*/").count();
        assert_eq!(source.text.matches("/**").count(), ends, "{}", source.text);
        let strings = source.text.matches("class Evil").count();
        let in_code = source.text.lines().filter(|line| line.trim_start().starts_with("class Evil")).count();
        assert!(strings > 0 || source.path.ends_with("Backend.java"), "{}", source.path);
        assert_eq!(in_code, 0, "{}", source.text);
    }
}

#[test]
fn rules_are_said_where_the_value_is_named() {
    let file = r#"{ "input": { "type": "object", "properties": { "tags": { "type": "array", "maxItems": 3,
        "items": { "type": "string", "maxLength": 9, "pattern": "^*/$" } } } },
        "output": { "type": "array", "uniqueItems": true, "items": { "type": "integer", "minimum": 1 } } }"#;
    let model = parse(file.as_bytes(), "f").unwrap();
    for emit in [java, kotlin, swift] {
        let text: String = emit(&model, &options()).into_iter().map(|source| source.text).collect();
        assert!(
            text.contains("At most 3 items. Each item: At most 9 characters. Matches the pattern"),
            "{text}"
        );
        assert!(text.contains("Answer: No item twice. Each item: At least 1."), "{text}");
        assert!(text.starts_with("// ") && (text.contains("/// ") || !text.contains("^*/")), "{text}");
    }
}

#[test]
fn an_enum_admits_null_where_its_type_does_too() {
    for (schema, is_nullable) in [
        (r#"{"enum":["a",null]}"#, true),
        (r#"{"type":["string","null"],"enum":["a",null]}"#, true),
        (r#"{"type":["string","null"],"enum":["a"]}"#, false),
        (r#"{"type":"string","enum":["a",null]}"#, false),
    ] {
        let model = parse(format!(r#"{{"input":{schema}}}"#).as_bytes(), "f").unwrap();
        assert_eq!(model.functions[0].input.is_nullable, is_nullable, "{schema}");
        assert_eq!(model.types[0].kind, Kind::Enum(vec!["a".to_owned()]));
    }
}

const PAGE: &str = include_str!("../../docs/generate.md");
const SCORES: &str = include_str!("../../examples/functions/scores/callgate.schemas.json");
const GREETING: &str = include_str!("../../examples/functions/greeting/callgate.schemas.json");

/// The page's block of a language.
fn block(language: &str) -> &'static str {
    let (_, rest) = PAGE.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

#[test]
fn the_page_shows_what_is_written() {
    assert_eq!(block("json"), SCORES);
    let model = parse(SCORES.as_bytes(), "scores").unwrap();
    let (here, none) = (
        Options { interface: "Backend".to_owned(), package: "backend".to_owned() },
        Options { interface: "Backend".to_owned(), package: String::new() },
    );
    for (language, sources) in
        [("java", java(&model, &here)), ("kotlin", kotlin(&model, &here)), ("swift", swift(&model, &none))]
    {
        let text: String = sources.iter().map(|source| source.text.as_str()).collect();
        let mut lines = text.lines();
        for shown in block(language).lines().filter(|line| *line != "}") {
            // What is left out between them are comments, annotations and bodies.
            assert!(lines.any(|line| line == shown || line == format!("{shown} {{")), "{language}: {shown}");
        }
    }
    assert_eq!(kotlin(&model, &here)[0].path, "backend/Backend.kt");
}

#[test]
fn the_page_shows_what_is_compared() {
    let old = parse(GREETING.as_bytes(), "greeting").unwrap();
    let new = GREETING.replace("\"text\"", "\"words\"");
    let mut changes = against(&old, &parse(new.as_bytes(), "greeting").unwrap());
    changes.sort_by_key(|change| !change.breaks);
    let printed: String = changes.iter().map(|change| format!("{change}\n")).collect();
    assert!(block("console").contains(&printed), "{printed}");
}

#[test]
fn the_page_names_every_keyword() {
    for keyword in super::keywords::all() {
        assert!(PAGE.contains(&format!("`{keyword}`")), "{keyword}");
    }
}

/// Keywords with values that fit or do not, lying in each other; many of the files are right.
fn schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(serde_json::json!({})),
        Just(serde_json::json!(true)),
        prop::sample::select(vec!["string", "integer", "number", "boolean", "null", "object", "array"])
            .prop_map(|name| serde_json::json!({ "type": name })),
        prop::sample::select(vec!["A", "b-c", "missing"])
            .prop_map(|name| serde_json::json!({ "$ref": format!("#/$defs/{name}") })),
        prop::collection::vec(".{0,6}", 0..4).prop_map(|values| serde_json::json!({ "enum": values })),
        Just(serde_json::json!({ "type": "string", "maxLength": 3, "format": "date" })),
        Just(serde_json::json!({ "allOf": [] })),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            inner.clone().prop_map(|items| serde_json::json!({ "type": "array", "items": items })),
            inner.clone().prop_map(|one| serde_json::json!({ "anyOf": [one, { "type": "null" }] })),
            inner
                .clone()
                .prop_map(|values| serde_json::json!({ "type": "object", "additionalProperties": values })),
            (prop::collection::btree_map(".{0,8}", inner, 0..5), any::<bool>()).prop_map(
                |(properties, all_required)| {
                    let required: Vec<&String> = properties.keys().filter(|_| all_required).collect();
                    serde_json::json!({ "type": "object", "properties": properties, "required": required })
                }
            ),
        ]
    })
}

fn file() -> impl Strategy<Value = Value> {
    (schema(), schema(), schema(), schema()).prop_map(|(input, output, a, bc)| {
        serde_json::json!({ "input": input, "output": output, "$defs": { "A": a, "b-c": bc } })
    })
}

/// What is read is written in every language; what is not read is refused with a place and a word on what to do.
fn read_and_written(bytes: &[u8]) -> Result<Option<Model>, TestCaseError> {
    match parse(bytes, "f") {
        Ok(model) => {
            prop_assert!(!all(&model).is_empty());
            prop_assert_eq!(against(&model, &model), vec![]);
            Ok(Some(model))
        }
        Err(Fault { pointer, what }) => {
            prop_assert!(pointer.is_empty() || pointer.starts_with('/'), "{}", pointer);
            prop_assert!(what.contains(": "), "{}", what);
            Ok(None)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_and_written(&bytes)?;
    }

    #[test]
    fn any_schemas_are_read_or_refused_and_any_two_compared(old in file(), new in file()) {
        let old = read_and_written(old.to_string().as_bytes())?;
        let new = read_and_written(new.to_string().as_bytes())?;
        if let (Some(old), Some(new)) = (old, new) {
            against(&old, &new);
        }
    }

    #[test]
    fn a_changed_file_is_read_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = include_bytes!("../../tests/vectors/generate/shapes/callgate.schemas.json").to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        read_and_written(&bytes)?;
    }
}
