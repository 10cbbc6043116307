//! A class for an object: immutable, with a builder, and an adapter for JSON.

use super::{
    super::{
        file::File,
        model::{Docs, Named, Property, Shape, Type},
        names::{Scope, camel},
    },
    Java, WORDS, text,
};

/// A property with its names in Java.
struct Member<'a> {
    property: &'a Property,
    /// Of field and builder's method.
    name: String,
    /// Behind `get`.
    capital: String,
    /// As a field holds it.
    holds: String,
    /// As the builder and the adapter hold it.
    boxed: String,
}

impl Member<'_> {
    fn is_primitive(&self) -> bool {
        self.holds != self.boxed
    }

    fn is_double(&self) -> bool {
        self.holds == "double"
    }
}

pub fn write(java: &Java<'_>, named: &Named, class: &str, properties: &[Property], file: &mut File) {
    file.imports.extend([
        "com.google.gson.Gson",
        "com.google.gson.TypeAdapter",
        "com.google.gson.TypeAdapterFactory",
        "com.google.gson.annotations.JsonAdapter",
        "com.google.gson.reflect.TypeToken",
        "com.google.gson.stream.JsonReader",
        "com.google.gson.stream.JsonToken",
        "com.google.gson.stream.JsonWriter",
        "java.io.IOException",
    ]);
    let mut scope = Scope::new(&WORDS, "Value");
    let members: Vec<Member<'_>> = properties
        .iter()
        .map(|property| {
            let name = scope.take(&camel(&property.json, "value"));
            Member {
                property,
                capital: pascal_of(&name),
                name,
                holds: java.holding(&property.holds, property.is_optional(), file),
                boxed: java.boxed(&property.holds, file),
            }
        })
        .collect();
    text::comment(file, 0, &named.docs, &[], &[]);
    file.line(0, &format!("@JsonAdapter({class}.Json.class)"));
    file.line(0, &format!("public final class {class} {{"));
    fields(class, &members, file);
    getters(&members, file);
    of_object(class, &members, file);
    builder(class, &members, file);
    adapter(java, class, &members, file);
    file.line(0, "}");
}

/// With a capital, and otherwise as it is, so that getters differ as fields do.
fn pascal_of(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters).collect()
}

fn fields(class: &str, members: &[Member<'_>], file: &mut File) {
    for Member { name, holds, .. } in members {
        file.line(1, &format!("private final {holds} {name};"));
    }
    if !members.is_empty() {
        file.line(0, "");
    }
    file.line(1, &format!("private {class}(Builder from) {{"));
    for Member { property, name, .. } in members {
        let value = match property.holds.shape {
            Shape::List(_) => {
                file.imports.extend(["java.util.ArrayList", "java.util.Collections"]);
                format!("Collections.unmodifiableList(new ArrayList<>(from.{name}))")
            }
            Shape::Map(_) => {
                file.imports.extend(["java.util.LinkedHashMap", "java.util.Collections"]);
                format!("Collections.unmodifiableMap(new LinkedHashMap<>(from.{name}))")
            }
            _ => format!("from.{name}"),
        };
        let copies = value.contains('(');
        let value = match copies && property.is_optional() {
            true => format!("from.{name} == null ? null : {value}"),
            false => value,
        };
        file.line(2, &format!("this.{name} = {value};"));
    }
    file.line(1, "}");
    file.lines(
        "
    /** A new builder. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder that begins with what this has. */
    public Builder toBuilder() {
        Builder builder = new Builder();
",
    );
    for Member { name, .. } in members {
        file.line(2, &format!("builder.{name} = this.{name};"));
    }
    file.line(2, "return builder;");
    file.line(1, "}");
}

/// What is said of a member, and whether it may be null.
fn describe(member: &Member<'_>, file: &mut File) {
    let more = match (member.property.is_optional(), member.property.is_required) {
        (false, _) => None,
        (true, true) => Some("Null if there is nothing."),
        (true, false) => Some("Null if it is not there."),
    };
    let mut more: Vec<String> = more.map(str::to_owned).into_iter().collect();
    if member.property.docs == Docs::default() && member.property.holds.rules.is_empty() {
        more.insert(0, format!("The member {{@code {}}}.", text::code(&member.property.json)));
    }
    text::comment(file, 1, &member.property.docs, &[("", &member.property.holds)], &more);
}

fn getters(members: &[Member<'_>], file: &mut File) {
    for member in members {
        file.line(0, "");
        describe(member, file);
        let Member { name, capital, holds, .. } = member;
        file.line(1, &format!("public {holds} get{capital}() {{"));
        file.line(2, &format!("return {name};"));
        file.line(1, "}");
    }
}

fn of_object(class: &str, members: &[Member<'_>], file: &mut File) {
    let alike: Vec<String> = members
        .iter()
        .map(|member| {
            let name = &member.name;
            match (member.is_double(), member.is_primitive()) {
                (true, _) => format!("Double.compare(this.{name}, that.{name}) == 0"),
                (_, true) => format!("this.{name} == that.{name}"),
                _ => format!("Objects.equals(this.{name}, that.{name})"),
            }
        })
        .collect();
    let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
    file.lines("\n    @Override\n    public boolean equals(Object other) {\n");
    match members {
        [] => file.line(2, &format!("return other instanceof {class};")),
        _ => {
            file.imports.insert("java.util.Objects");
            file.line(2, &format!("if (!(other instanceof {class})) {{"));
            file.line(3, "return false;");
            file.line(2, "}");
            file.line(2, &format!("{class} that = ({class}) other;"));
            file.line(2, &format!("return {};", alike.join("\n                && ")));
        }
    }
    file.lines("    }\n\n    @Override\n    public int hashCode() {\n");
    match members {
        [] => file.line(2, "return 1;"),
        _ => file.line(2, &format!("return Objects.hash({});", names.join(", "))),
    }
    file.lines("    }\n\n    @Override\n    public String toString() {\n");
    let shown: String = names
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let comma = if index == 0 { "" } else { ", " };
            format!("\n                + \"{comma}{name}=\" + {name}")
        })
        .collect();
    file.line(2, &format!("return \"{class}{{\"{shown}\n                + \"}}\";"));
    file.line(1, "}");
}

fn builder(class: &str, members: &[Member<'_>], file: &mut File) {
    file.lines(&format!(
        "\n    /** Makes a {{@link {class}}}. */\n    public static final class Builder {{\n"
    ));
    for Member { name, boxed, .. } in members {
        file.line(2, &format!("private {boxed} {name};"));
    }
    if !members.is_empty() {
        file.line(0, "");
    }
    file.line(2, "private Builder() {}");
    for Member { name, holds, capital, property, .. } in members {
        let needed = if property.is_optional() { "May be null." } else { "Needed." };
        file.line(0, "");
        file.line(2, &format!("/** {needed} See {{@link {class}#get{capital}()}}. */"));
        file.line(2, &format!("public Builder {name}({holds} {name}) {{"));
        file.line(3, &format!("this.{name} = {name};"));
        file.line(3, "return this;");
        file.line(2, "}");
    }
    file.lines(&format!(
        "
        /** @throws IllegalStateException if something is missing that is needed */
        public {class} build() {{
            String missing = missing();
            if (missing != null) {{
                throw new IllegalStateException(\"a {class} needs \" + missing);
            }}
            return new {class}(this);
        }}

        /** The JSON name of what is needed and not there, or null. */
        private String missing() {{
"
    ));
    for Member { name, property, .. } in members.iter().filter(|member| !member.property.is_optional()) {
        file.line(3, &format!("if ({name} == null) {{"));
        file.line(4, &format!("return {};", text::string(&property.json)));
        file.line(3, "}");
    }
    file.lines("            return null;\n        }\n    }\n");
}

fn adapter(java: &Java<'_>, class: &str, members: &[Member<'_>], file: &mut File) {
    file.lines(&format!(
        "
    static final class Json implements TypeAdapterFactory {{
        @Override
        @SuppressWarnings(\"unchecked\")
        public <T> TypeAdapter<T> create(Gson gson, TypeToken<T> type) {{
            return (TypeAdapter<T>) new Adapter(gson);
        }}
    }}

    private static final class Adapter extends TypeAdapter<{class}> {{
"
    ));
    for Member { name, boxed, .. } in members {
        file.line(2, &format!("private final TypeAdapter<{boxed}> {name};"));
    }
    if !members.is_empty() {
        file.line(0, "");
    }
    file.line(2, "Adapter(Gson gson) {");
    for Member { name, property, .. } in members {
        let found = adapter_of(java, &property.holds, file);
        file.line(3, &format!("this.{name} = {found};"));
    }
    file.lines(&format!(
        "        }}

        @Override
        public void write(JsonWriter to, {class} value) throws IOException {{
            if (value == null) {{
                to.nullValue();
                return;
            }}
            // What is not there is left out below; any other null is to be written.
            boolean writesNulls = to.getSerializeNulls();
            to.setSerializeNulls(true);
            to.beginObject();
"
    ));
    for Member { name, property, .. } in members {
        let steps = if property.is_optional() && !property.writes_null() { 4 } else { 3 };
        if steps == 4 {
            file.line(3, &format!("if (value.{name} != null) {{"));
        }
        file.line(steps, &format!("to.name({});", text::string(&property.json)));
        file.line(steps, &format!("this.{name}.write(to, value.{name});"));
        if steps == 4 {
            file.line(3, "}");
        }
    }
    file.imports.insert("com.google.gson.JsonParseException");
    file.lines(&format!(
        "            to.endObject();
            to.setSerializeNulls(writesNulls);
        }}

        @Override
        public {class} read(JsonReader from) throws IOException {{
            if (from.peek() == JsonToken.NULL) {{
                from.nextNull();
                return null;
            }}
            Builder read = new Builder();
            from.beginObject();
            while (from.hasNext()) {{
                switch (from.nextName()) {{
"
    ));
    for Member { name, property, .. } in members {
        file.line(5, &format!("case {}:", text::string(&property.json)));
        file.line(6, &format!("read.{name} = this.{name}.read(from);"));
        if property.holds.shape == Shape::Any && property.is_optional() {
            file.line(6, &format!("if (read.{name}.isJsonNull()) {{"));
            file.line(7, &format!("read.{name} = null;"));
            file.line(6, "}");
        }
        file.line(6, "break;");
    }
    file.lines(&format!(
        "                    default:
                        from.skipValue();
                }}
            }}
            from.endObject();
            String missing = read.missing();
            if (missing != null) {{
                throw new JsonParseException(\"a {class} came without \" + missing + \", at \" + from.getPath());
            }}
            return new {class}(read);
        }}
    }}
"
    ));
}

/// The adapter of a type. Those of lists and maps are the SDK's: Gson's own take null for an item whatever the schema says.
fn adapter_of(java: &Java<'_>, holds: &Type, file: &mut File) -> String {
    let (form, inner) = match &holds.shape {
        Shape::List(items) => ("list", items),
        Shape::Map(values) => ("map", values),
        _ => return format!("gson.getAdapter({}.class)", java.boxed(holds, file)),
    };
    file.imports.insert("dev.callgate.GsonAdapters");
    let adapter = adapter_of(java, inner, file);
    match inner.admits_null() {
        true => format!("GsonAdapters.{form}({adapter})"),
        false => format!("GsonAdapters.{form}(GsonAdapters.needed({adapter}))"),
    }
}
