package dev.callgate.bench;

import com.google.gson.Gson;
import dev.callgate.Callgate;
import dev.callgate.CallgateFunction;
import java.net.URI;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cognitoidentity.CognitoIdentityClient;
import software.amazon.awssdk.services.cognitoidentity.model.Credentials;
import software.amazon.awssdk.services.lambda.LambdaClient;

/** The same app twice: a guest greets, with objects going in and coming out. */
final class Apps {
    private static final URI ENDPOINT = URI.create(System.getenv("CALLGATE_ENDPOINT"));
    private static final String POOL = System.getenv("CALLGATE_POOL");

    private Apps() {}

    record Person(String name) {}

    record Greeting(String text, boolean signedIn) {}

    interface Backend {
        @CallgateFunction(name = "greeting")
        Greeting greet(Person person);
    }

    static Callgate callgate() {
        return Callgate.builder().endpoint(ENDPOINT.toString()).identityPool(POOL).build();
    }

    /** The AWS SDK for Java v2, and Gson for the objects. */
    static final class Aws implements Backend, AutoCloseable {
        private final Gson gson = new Gson();
        private final LambdaClient lambda;

        Aws() {
            Credentials guest;
            try (CognitoIdentityClient identity = CognitoIdentityClient.builder()
                    .endpointOverride(ENDPOINT)
                    .region(Region.US_EAST_1)
                    .credentialsProvider(AnonymousCredentialsProvider.create())
                    .httpClient(UrlConnectionHttpClient.create())
                    .build()) {
                String id = identity.getId(request -> request.identityPoolId(POOL)).identityId();
                guest = identity.getCredentialsForIdentity(request -> request.identityId(id)).credentials();
            }
            lambda = LambdaClient.builder()
                    .endpointOverride(ENDPOINT)
                    .region(Region.US_EAST_1)
                    .credentialsProvider(StaticCredentialsProvider.create(
                            AwsSessionCredentials.create(guest.accessKeyId(), guest.secretKey(), guest.sessionToken())))
                    .httpClient(UrlConnectionHttpClient.create())
                    .build();
        }

        @Override
        public Greeting greet(Person person) {
            SdkBytes answer = lambda.invoke(request -> request.functionName("greeting")
                            .payload(SdkBytes.fromUtf8String(gson.toJson(person))))
                    .payload();
            return gson.fromJson(answer.asUtf8String(), Greeting.class);
        }

        @Override
        public void close() {
            lambda.close();
        }
    }
}
