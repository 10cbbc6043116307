//! A data class for an object, with an adapter for JSON.

use super::{
    super::{
        file::File,
        model::{Docs, Named, Property, Shape, Type},
        names::{Scope, camel},
    },
    Kotlin, WORDS, text,
};

/// A property with its names in Kotlin.
struct Member<'a> {
    property: &'a Property,
    name: String,
    /// Its type without a question mark.
    plain: String,
}

pub fn write(kotlin: &Kotlin<'_>, named: &Named, class: &str, properties: &[Property], file: &mut File) {
    file.imports.extend([
        "com.google.gson.Gson",
        "com.google.gson.TypeAdapter",
        "com.google.gson.TypeAdapterFactory",
        "com.google.gson.annotations.JsonAdapter",
        "com.google.gson.reflect.TypeToken",
        "com.google.gson.stream.JsonReader",
        "com.google.gson.stream.JsonToken",
        "com.google.gson.stream.JsonWriter",
    ]);
    let mut scope = Scope::new(&WORDS, "Value");
    let mut members: Vec<Member<'_>> = properties
        .iter()
        .map(|property| Member {
            property,
            name: scope.take(&camel(&property.json, "value")),
            plain: kotlin.plain(&property.holds, file),
        })
        .collect();
    // Those that must be given first, so that they can be given without their names.
    members.sort_by_key(|member| member.property.is_optional());
    text::comment(file, 0, &named.docs, &[], &[]);
    file.line(0, &format!("@JsonAdapter({class}.Json::class)"));
    head(class, &members, file);
    file.lines(&format!(
        "    internal class Json : TypeAdapterFactory {{
        override fun <T : Any?> create(gson: Gson, type: TypeToken<T>): TypeAdapter<T> = Adapter(gson) as TypeAdapter<T>
    }}

    private class Adapter(gson: Gson) : TypeAdapter<{class}?>() {{
"
    ));
    for Member { property, name, plain } in &members {
        let found = adapter_of(kotlin, &property.holds, file);
        file.line(2, &format!("private val {name} = {found} as TypeAdapter<{plain}?>"));
    }
    if !members.is_empty() {
        file.line(0, "");
    }
    writing(class, &members, file);
    reading(class, &members, file);
    file.lines("    }\n}\n");
}

/// The class's head, up to where its adapter begins.
fn head(class: &str, members: &[Member<'_>], file: &mut File) {
    if members.is_empty() {
        // A data class has a property at least.
        file.lines(&format!(
            "class {class} {{
    override fun equals(other: Any?): Boolean = other is {class}

    override fun hashCode(): Int = 1

    override fun toString(): String = \"{class}()\"

"
        ));
        return;
    }
    file.line(0, &format!("data class {class}("));
    for Member { property, name, plain } in members {
        let mut more = Vec::new();
        if property.docs == Docs::default() && property.holds.rules.is_empty() {
            more.push(format!(
                "The member `{}`.",
                property.json.escape_debug().to_string().replace(['`', '*', '@'], "?")
            ));
        }
        text::comment(file, 1, &property.docs, &[("", &property.holds)], &more);
        let ending = if property.is_optional() { "? = null" } else { "" };
        file.line(1, &format!("val {name}: {plain}{ending},"));
    }
    file.line(0, ") {");
}

fn writing(class: &str, members: &[Member<'_>], file: &mut File) {
    file.lines(&format!(
        "        override fun write(to: JsonWriter, value: {class}?) {{
            if (value == null) {{
                to.nullValue()
                return
            }}
            // What is not there is left out below; any other null is to be written.
            val writesNulls = to.serializeNulls
            to.serializeNulls = true
            to.beginObject()
"
    ));
    for Member { property, name, .. } in members {
        let literal = text::string(&property.json);
        if property.is_optional() && !property.writes_null() {
            file.line(3, &format!("if (value.{name} != null) {{"));
            file.line(4, &format!("to.name({literal})"));
            file.line(4, &format!("this.{name}.write(to, value.{name})"));
            file.line(3, "}");
        } else {
            file.line(3, &format!("to.name({literal})"));
            file.line(3, &format!("this.{name}.write(to, value.{name})"));
        }
    }
    file.lines("            to.endObject()\n            to.serializeNulls = writesNulls\n        }\n\n");
}

fn reading(class: &str, members: &[Member<'_>], file: &mut File) {
    file.lines(&format!(
        "        override fun read(from: JsonReader): {class}? {{
            if (from.peek() == JsonToken.NULL) {{
                from.nextNull()
                return null
            }}
"
    ));
    for Member { name, plain, .. } in members {
        file.line(3, &format!("var {name}Read: {plain}? = null"));
    }
    file.lines(
        "            from.beginObject()
            while (from.hasNext()) {
                when (from.nextName()) {
",
    );
    for Member { property, name, .. } in members {
        let nothing = match property.holds.shape == Shape::Any && property.is_optional() {
            true => "?.takeUnless { it.isJsonNull }",
            false => "",
        };
        file.line(
            5,
            &format!("{} -> {name}Read = this.{name}.read(from){nothing}", text::string(&property.json)),
        );
    }
    file.lines(&format!(
        "                    else -> from.skipValue()
                }}
            }}
            from.endObject()
            return {class}(
"
    ));
    for Member { property, name, .. } in members {
        let missing = match property.is_optional() {
            true => String::new(),
            false => format!(" ?: missing({}, from)", text::string(&property.json)),
        };
        file.line(4, &format!("{name} = {name}Read{missing},"));
    }
    file.lines("            )\n        }\n");
    if members.iter().any(|member| !member.property.is_optional()) {
        file.imports.insert("com.google.gson.JsonParseException");
        file.lines(&format!(
            "
        private fun missing(name: String, from: JsonReader): Nothing =
            throw JsonParseException(\"a {class} came without $name, at ${{from.path}}\")
"
        ));
    }
}

/// The adapter of a type. Those of lists and maps are the SDK's: Gson's own take null for an item whatever the schema says.
fn adapter_of(kotlin: &Kotlin<'_>, holds: &Type, file: &mut File) -> String {
    let (form, inner) = match &holds.shape {
        Shape::List(items) => ("list", items),
        Shape::Map(values) => ("map", values),
        // What the JVM has a primitive type of must be asked for as an object.
        Shape::Boolean | Shape::Integer(_) | Shape::Number => {
            return format!("gson.getAdapter({}::class.javaObjectType)", kotlin.plain(holds, file));
        }
        _ => return format!("gson.getAdapter({}::class.java)", kotlin.plain(holds, file)),
    };
    file.imports.insert("dev.callgate.GsonAdapters");
    let adapter = adapter_of(kotlin, inner, file);
    match inner.admits_null() {
        true => format!("GsonAdapters.{form}({adapter})"),
        false => format!("GsonAdapters.{form}(GsonAdapters.needed({adapter}))"),
    }
}
