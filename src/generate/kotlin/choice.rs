//! A class for an enum. Kotlin's own enums would lose a value that a newer function sends.

use super::{
    super::{
        file::File,
        model::Named,
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
    ]);
    let more =
        "No enum class: a newer function may send other values, which are kept as they are.".to_owned();
    text::comment(file, 0, &named.docs, &[], &[more]);
    file.lines(&format!(
        "@JsonAdapter({class}.Json::class)
class {class} private constructor(
    /** As it stands in JSON. */
    val value: String,
) {{
    /** Whether it is one of the constants. */
    val isKnown: Boolean get() = this in known

    override fun equals(other: Any?): Boolean = other is {class} && other.value == value

    override fun hashCode(): Int = value.hashCode()

    override fun toString(): String = value

    companion object {{
"
    ));
    let mut scope = Scope::new(&[], "");
    let constants: Vec<String> = values.iter().map(|value| scope.take(&constant(value, "VALUE"))).collect();
    for (constant, value) in constants.iter().zip(values) {
        file.line(2, "@JvmField");
        file.line(2, &format!("val {constant}: {class} = {class}({})", text::string(value)));
        file.line(0, "");
    }
    file.lines(&format!(
        "        /** All constants. */
        val known: List<{class}> = listOf(
            {},
        )

        /** The constant of a value, or for one that was not known when this was written an object of its own. */
        fun of(value: String): {class} = known.firstOrNull {{ it.value == value }} ?: {class}(value)
    }}

    internal class Json : TypeAdapter<{class}?>() {{
        override fun write(to: JsonWriter, value: {class}?) {{
            to.value(value?.value)
        }}

        override fun read(from: JsonReader): {class}? {{
            if (from.peek() == JsonToken.NULL) {{
                from.nextNull()
                return null
            }}
            if (from.peek() != JsonToken.STRING) {{
                throw JsonParseException(\"a {class} is a string, not ${{from.peek()}}, at ${{from.path}}\")
            }}
            return of(from.nextString())
        }}
    }}
}}
",
        constants.join(",\n            "),
    ));
}
