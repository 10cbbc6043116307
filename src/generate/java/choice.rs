//! A class for an enum. Java's own enums would lose a value that a newer function sends.

use super::{
    super::{
        file::File,
        model::{Docs, Named},
        names::{Scope, constant},
    },
    text,
};

pub fn write(named: &Named, class: &str, values: &[String], file: &mut File) {
    file.imports.extend([
        "com.google.gson.JsonParseException",
        "com.google.gson.TypeAdapter",
        "com.google.gson.annotations.JsonAdapter",
        "com.google.gson.stream.JsonReader",
        "com.google.gson.stream.JsonToken",
        "com.google.gson.stream.JsonWriter",
        "java.io.IOException",
        "java.util.Arrays",
        "java.util.Collections",
        "java.util.List",
    ]);
    let more = "Not an enum of Java's: a newer function may send other values, which are kept as they are."
        .to_owned();
    text::comment(file, 0, &named.docs, &[], &[more]);
    file.line(0, &format!("@JsonAdapter({class}.Json.class)"));
    file.line(0, &format!("public final class {class} {{"));
    let mut scope = Scope::new(&["KNOWN"], "_VALUE");
    let constants: Vec<String> = values.iter().map(|value| scope.take(&constant(value, "VALUE"))).collect();
    for (constant, value) in constants.iter().zip(values) {
        let literal = text::string(value);
        let says = Docs { description: Some(format!("The value {literal}.")), ..Docs::default() };
        text::comment(file, 1, &says, &[], &[]);
        file.line(1, &format!("public static final {class} {constant} = new {class}({literal});"));
    }
    file.lines(&format!(
        r#"
    private static final List<{class}> KNOWN = Collections.unmodifiableList(Arrays.asList(
            {known}));

    private final String value;

    private {class}(String value) {{
        this.value = value;
    }}

    /** The constant of a value, or for one that was not known when this was written an object of its own. */
    public static {class} of(String value) {{
        if (value == null) {{
            throw new IllegalArgumentException("a {class} needs a value");
        }}
        for ({class} known : KNOWN) {{
            if (known.value.equals(value)) {{
                return known;
            }}
        }}
        return new {class}(value);
    }}

    /** All constants. */
    public static List<{class}> known() {{
        return KNOWN;
    }}

    /** As it stands in JSON. */
    public String value() {{
        return value;
    }}

    /** Whether it is one of the constants. */
    public boolean isKnown() {{
        return KNOWN.contains(this);
    }}

    @Override
    public boolean equals(Object other) {{
        return other instanceof {class} && ((({class}) other).value.equals(value));
    }}

    @Override
    public int hashCode() {{
        return value.hashCode();
    }}

    @Override
    public String toString() {{
        return value;
    }}

    static final class Json extends TypeAdapter<{class}> {{
        @Override
        public void write(JsonWriter to, {class} value) throws IOException {{
            to.value(value == null ? null : value.value);
        }}

        @Override
        public {class} read(JsonReader from) throws IOException {{
            if (from.peek() == JsonToken.NULL) {{
                from.nextNull();
                return null;
            }}
            if (from.peek() != JsonToken.STRING) {{
                throw new JsonParseException("a {class} is a string, not " + from.peek() + ", at " + from.getPath());
            }}
            return of(from.nextString());
        }}
    }}
}}
"#,
        known = constants.join(",\n            "),
    ));
}
