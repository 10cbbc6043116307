"""Cases of JSON: what a function answers, the type an app asks for, and what that value is when it is sent again.

`encoded` is null where the text does not fit the type: the SDK reports an answer error, and never a value made up.
Numbers are compared by value (1 and 1.0 are the same), objects without regard to order.
"""

# Every language declares these. `?` may be absent or null; other members get the language's empty value when absent
# (null, 0, false) or, where the language cannot, are an answer error: see the vectors with "may".
TYPES = {
    "Person": {"name": "string?", "age": "int32?", "born": "int64?", "weight": "double?", "active": "boolean?",
               "tags": "list<string>?", "address": "Address?", "attributes": "map<string,string>?", "level": "Level?"},
    "Address": {"street": "string?", "zip": "string?"},
    "Level": ["LOW", "HIGH"],
    "Score": {"player": "string?", "points": "int64?"},
}

_WHOLE = ('{"name":"Ada","age":36,"born":-4865356800000,"weight":61.5,"active":true,"tags":["a","b"],'
          '"address":{"street":"12 St James\'s Sq","zip":"SW1Y"},"attributes":{"k":"v"},"level":"HIGH"}')


def _v(identifier, why, kind, text, encoded=None):
    return {"id": identifier, "why": why, "type": kind, "json": text, "encoded": encoded}


VECTORS = [
    _v("object", "every kind of member", "Person", _WHOLE, _WHOLE),
    _v("object-empty", "members may be absent", "Person", "{}", "{}"),
    _v("object-null-member", "null is absent, and absent is not sent", "Person", '{"name":null}', "{}"),
    _v("object-unknown", "members that the app does not know are passed over", "Person", '{"name":"Ada","new":{"x":[1]}}', '{"name":"Ada"}'),
    _v("object-null", "null is no object", "Person", "null", "null"),
    _v("nothing", "an empty answer is null", "Person", "", "null"),
    _v("order", "order means nothing", "Address", '{"zip":"1","street":"2"}', '{"street":"2","zip":"1"}'),
    _v("spaces", "white space means nothing", "Address", ' {\n"zip" : "1" }\r\n', '{"zip":"1"}'),
    _v("list", "a list of objects", "list<Score>", '[{"player":"ada","points":9007199254740993},{"player":"bob","points":0}]',
       '[{"player":"ada","points":9007199254740993},{"player":"bob","points":0}]'),
    _v("list-empty", "an empty list", "list<Score>", "[]", "[]"),
    _v("map", "a map of objects", "map<string,Score>", '{"first":{"player":"ada","points":3}}', '{"first":{"player":"ada","points":3}}'),
    _v("map-of-lists", "generics inside generics", "map<string,list<int64>>", '{"a":[1,2],"b":[]}', '{"a":[1,2],"b":[]}'),
    _v("string", "a string by itself", "string", '"hä \\"q\\" \\u12f4 \\ud83d\\udc0d \\/"', '"hä \\"q\\" ዴ 🐍 /"'),
    _v("string-separators", "line and paragraph separators survive", "string", '"a\\u2028b\\u2029c"', '"a\\u2028b\\u2029c"'),
    _v("string-html", "nothing is escaped for the sake of HTML, or it means the same", "string", '"<a href=\'x\'>&</a>"', '"<a href=\'x\'>&</a>"'),
    _v("integer", "a number by itself", "int64", "42", "42"),
    _v("integer-large", "beyond 2^53, exactly", "int64", "9007199254740993", "9007199254740993"),
    _v("integer-max", "the largest", "int64", "9223372036854775807", "9223372036854775807"),
    _v("integer-min", "the smallest", "int64", "-9223372036854775808", "-9223372036854775808"),
    _v("integer-over", "one too many does not wrap around", "int64", "9223372036854775808"),
    _v("int32-over", "nor does a smaller type", "int32", "2147483648"),
    _v("integer-fraction", "a fraction is no integer", "int64", "1.5"),
    _v("integer-from-string", "text is no number for a number's sake", "int64", '"no"'),
    _v("double", "a fraction", "double", "0.1", "0.1"),
    _v("double-exponent", "an exponent", "double", "1.5e300", "1.5e300"),
    _v("double-of-integer", "an integer is a fraction too", "double", "3", "3"),
    _v("boolean", "true", "boolean", "true", "true"),
    _v("any", "what has no type of its own", "any", '{"a":[1,"b",null,true,{"c":0.5}]}', '{"a":[1,"b",null,true,{"c":0.5}]}'),
    _v("deep", "objects inside objects", "any", '{"a":' * 50 + "1" + "}" * 50, '{"a":' * 50 + "1" + "}" * 50),
    _v("not-json", "what is not JSON", "Person", "{name:1}"),
    _v("cut", "what was cut off", "Person", '{"name":"Ad'),
    _v("more", "more than one value", "Address", '{"zip":"1"} {"zip":"2"}'),
    _v("wrong-type", "a list is no object", "Person", "[1]"),
    _v("wrong-member", "a member of another type", "Person", '{"tags":"a"}'),
    _v("single-quotes", "a string has double quotes", "string", "'a'"),
    _v("string-from-integer", "a number is no text", "string", "7"),
    _v("string-from-boolean", "nor is a boolean", "string", "true"),
    _v("integer-from-digits", "digits in a string are text", "int64", '"7"'),
    _v("double-from-string", "for fractions too", "double", '"1.5"'),
    _v("boolean-from-string", "true in quotes is text", "boolean", '"true"'),
    _v("boolean-from-integer", "1 is a number", "boolean", "1"),
    _v("map-from-list", "a list is no map", "map<string,Score>", "[]"),
    _v("nan", "not a number is no JSON", "double", "NaN"),
]
