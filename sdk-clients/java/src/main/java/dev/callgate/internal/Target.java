package dev.callgate.internal;

import okhttp3.HttpUrl;

/** Where a function is called: what does not change between its calls. */
final class Target {
    private static final int NAME_CHARS_MAX = 256;

    final HttpUrl url;
    /** As sent. */
    final String path;
    final String query;

    private Target(HttpUrl url, String query) {
        this.url = url;
        this.path = url.encodedPath();
        this.query = query;
    }

    static Target invoke(HttpUrl endpoint, String function, String qualifier) throws Failure {
        return of(endpoint, function, qualifier, "invocations");
    }

    static Target cancel(HttpUrl endpoint, String function, String qualifier, String id) throws Failure {
        return of(endpoint, function, qualifier, "invocations/" + Text.percentEncoded(id));
    }

    private static Target of(HttpUrl endpoint, String function, String qualifier, String rest) throws Failure {
        if (function.isEmpty() || function.length() > NAME_CHARS_MAX) {
            throw new Failure(
                    Failure.Kind.INVALID_REQUEST, "a function's name has 1 to " + NAME_CHARS_MAX + " characters");
        }
        HttpUrl.Builder url = endpoint.newBuilder()
                .encodedPath("/2015-03-31/functions/" + Text.percentEncoded(function) + "/" + rest);
        if (qualifier == null) {
            return new Target(url.build(), "");
        }
        String query = "Qualifier=" + Text.percentEncoded(qualifier);
        return new Target(url.encodedQuery(query).build(), query);
    }
}
