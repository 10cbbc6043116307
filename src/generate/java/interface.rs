//! The interface that `Callgate.functions` makes an object of.

use super::{
    super::{
        file::File,
        model::{Docs, Function, Model, Shape},
        names::{Scope, camel},
    },
    Java, WORDS, text,
};

/// Methods of every object, and words.
const OBJECT: [&str; 7] = ["clone", "equals", "finalize", "hashCode", "notify", "notifyAll", "toString"];

pub fn write(java: &Java<'_>, model: &Model, file: &mut File) {
    file.imports.extend(["dev.callgate.CallgateFunction", "dev.callgate.CallgateFuture"]);
    let interface = &java.options.interface;
    let says = format!(
        "Functions of the gateway: {{@code {interface} backend = callgate.functions({interface}.class)}}."
    );
    let more = "Each is there twice, waiting and with a future. Extend this interface for other forms of an answer, with \
        {@code Answer}, {@code CallOptions} or {@code OutboxReceipt}.";
    text::comment(file, 0, &Docs::default(), &[], &[says, more.to_owned()]);
    file.line(0, &format!("public interface {interface} {{"));
    let mut scope = Scope::new(&WORDS, "Function");
    for method in OBJECT {
        scope.take(method);
    }
    for (index, function) in model.functions.iter().enumerate() {
        if index > 0 {
            file.line(0, "");
        }
        method(java, function, &mut scope, file);
    }
    file.line(0, "}");
}

fn method(java: &Java<'_>, function: &Function, scope: &mut Scope, file: &mut File) {
    let name = scope.take(&camel(&function.name, "function"));
    let later = scope.take(&format!("{name}Async"));
    let mut marks = format!("@CallgateFunction(name = {}", text::string(&function.name));
    if let Some(qualifier) = &function.qualifier {
        marks.push_str(&format!(", qualifier = {}", text::string(qualifier)));
    }
    marks.push(')');
    let argument = match function.input.shape {
        Shape::Null => String::new(),
        _ => format!("{} input", java.holding(&function.input, function.input.is_nullable, file)),
    };
    let answer = java.holding(&function.output, function.output.is_nullable, file);
    let mut more = Vec::new();
    if function.docs == Docs::default() {
        more.push(format!("The function {{@code {}}}.", function.name));
    }
    if function.input.is_nullable {
        more.push("@param input may be null".to_owned());
    }
    if function.output.is_nullable {
        more.push("@return perhaps null".to_owned());
    }
    text::comment(
        file,
        1,
        &function.docs,
        &[("Input", &function.input), ("Answer", &function.output)],
        &more,
    );
    file.line(1, &marks);
    file.line(1, &format!("{answer} {name}({argument});"));
    file.line(0, "");
    let docs = Docs { is_deprecated: function.docs.is_deprecated, ..Docs::default() };
    text::comment(file, 1, &docs, &[], &["The same, without waiting.".to_owned()]);
    file.line(1, &marks);
    let boxed = java.boxed(&function.output, file);
    file.line(1, &format!("CallgateFuture<{boxed}> {later}({argument});"));
}
