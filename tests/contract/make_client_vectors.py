"""Writes tests/vectors/clients/requests.json: what SDKs send that cannot run here, byte for byte, as their open sources say.

Each row names the sources it was read off. Signatures are not in it: they depend on the hour, so whoever plays a row signs it
as the row says, with the headers of `unsigned` left out. `saw` is what the function must see.
"""

import base64
import json
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "vectors/clients/requests.json"

IOS = "aws-amplify/aws-sdk-ios: "
ANDROID = "aws-amplify/aws-sdk-android: aws-android-sdk-lambda/src/main/java/com/amazonaws/"
SWIFT = "awslabs/aws-sdk-swift: Sources/"
INVOKE = "/2015-03-31/functions/{function}/invocations"

ANDROID_CONTEXT = {
    "client": {
        "installation_id": "2d9a130e-1c3b-40c7-8953-c7c4aea3d6fa",
        "app_version_name": "2.1.2",
        "app_version_code": "2",
        "app_package_name": "com.example.game",
        "app_title": "Größtes Spiel",
    },
    "env": {"platform": "Android", "model": "Pixel 2", "make": "Google", "platform_version": "8.1.0", "locale": "de_DE"},
}
# Its version name and code stand in each other's place: the SDK fills them so.
IOS_CONTEXT = {
    "version": "1.0",
    "client": {
        "installation_id": "6B29FC40-CA47-1067-B31D-00DD010662DA",
        "app_package_name": "com.example.game",
        "app_version_name": "17",
        "app_version_code": "2.1.2",
        "app_title": "Größtes Spiel",
    },
    "env": {
        "model": "iPhone",
        "model_version": "iPhone9,3",
        "make": "apple",
        "platform": "iOS",
        "platform_version": "10.2",
        "locale": "de_DE",
    },
    "custom": {},
    "services": {},
}
SWIFT_CONTEXT = {"client": {"app_title": "Größtes Spiel"}, "env": {"platform": "iOS"}, "custom": {"level": "4"}}


def encoded(context):
    text = json.dumps(context, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(text.encode()).decode()


def row(name, why, sources, target, headers, body, *, service="lambda", unsigned=(), saw=None):
    return {
        "id": name, "why": why, "sources": sources, "service": service, "method": "POST", "target": target,
        "headers": headers, "unsigned": list(unsigned), "body": body, "saw": saw,
    }


def swift(attempt, *, content_type="application/octet-stream", **more):
    headers = [
        ["Content-Type", content_type],
        ["Content-Length", "{length}"],
        ["Host", "{host}"],
        ["User-Agent", "aws-sdk-swift/1.0.78 ua/2.1 api/lambda#1.0.78 os/ios#17.5.1 lang/swift#5.10 m/E"],
        ["amz-sdk-invocation-id", "3f0c1a52-2d0e-4c0b-9a3b-6a1f4d7c9e10"],
        ["amz-sdk-request", attempt],
    ]
    return headers + [[name, value] for name, value in more.items()]


SWIFT_SOURCES = [
    SWIFT + "Services/AWSLambda/Sources/AWSLambda/LambdaClient.swift, invoke (31ffa70)",
    SWIFT + "Core/AWSClientRuntime/Sources/AWSClientRuntime/Middlewares/AmzSdkInvocationIdMiddleware.swift (83e9a24)",
    SWIFT + "Core/AWSClientRuntime/Sources/AWSClientRuntime/Middlewares/AmzSdkRequestMiddleware.swift (1370e38)",
    SWIFT + "Core/AWSClientRuntime/Sources/AWSClientRuntime/UserAgent/AWSUserAgentMetadata.swift (353ce5f)",
    SWIFT + "Core/AWSSDKHTTPAuth/Sources/AWSSDKHTTPAuth/AWSSigV4Signer.swift (0436058)",
    "awslabs/aws-c-auth: source/aws_signing.c, the headers that are skipped (008de06)",
]
# What the SDK for Swift's signer, which is aws-c-auth, leaves out.
SWIFT_UNSIGNED = ["user-agent"]

# The SDK for Android signs `host` and what begins with `x-amz-`, as its core does where it runs (java/src/flows/AndroidInvoker.java).
ANDROID_UNSIGNED = [
    "aws-sdk-invocation-id", "aws-sdk-retry", "content-type", "user-agent", "accept-encoding", "connection", "content-length",
]

ROWS = [
    row(
        "swift-invoke", "the AWS SDK for Swift: a call with a client context", SWIFT_SOURCES, INVOKE,
        swift("attempt=1; max=2") + [["X-Amz-Client-Context", encoded(SWIFT_CONTEXT)]],
        '{"name":"Ünal"}', unsigned=SWIFT_UNSIGNED, saw={"event": {"name": "Ünal"}, "clientContext": SWIFT_CONTEXT},
    ),
    row(
        "swift-invoke-again", "its second attempt: the same id, and until when it waits", SWIFT_SOURCES, INVOKE,
        swift("ttl=20270101T000000Z; attempt=2; max=2") + [["X-Amz-Client-Context", encoded(SWIFT_CONTEXT)]],
        '{"name":"Ünal"}', unsigned=SWIFT_UNSIGNED, saw={"event": {"name": "Ünal"}, "clientContext": SWIFT_CONTEXT},
    ),
    row(
        "swift-invoke-version", "one version, the log's tail asked for, no payload", SWIFT_SOURCES,
        INVOKE + "?Qualifier=%24LATEST",
        swift("attempt=1; max=2") + [["X-Amz-Invocation-Type", "RequestResponse"], ["X-Amz-Log-Type", "Tail"]],
        "", unsigned=SWIFT_UNSIGNED, saw={"event": {}, "functionVersion": "$LATEST"},
    ),
    row(
        "android-invoker", "the AWS SDK for Android's LambdaInvokerFactory, 2.x; its Gson escapes what HTML knows",
        [ANDROID + "services/lambda/model/transform/InvokeRequestMarshaller.java (d02f468)",
         ANDROID + "mobileconnectors/lambdainvoker/LambdaInvocationHandler.java (1109ddd)",
         ANDROID + "mobileconnectors/util/ClientContext.java (0958a37)"],
        INVOKE,
        [["aws-sdk-invocation-id", "8b1f2d0a-93c4-4a8f-8a60-31d9a2f2f9aa"],
         ["aws-sdk-retry", "0/0"],
         ["Content-Type", "application/x-amz-json-1.0"],
         ["X-Amz-Invocation-Type", "RequestResponse"],
         ["X-Amz-Log-Type", "None"],
         ["X-Amz-Client-Context", encoded(ANDROID_CONTEXT)],
         ["User-Agent", "aws-sdk-android/2.16.8 Linux/3.10.73 Dalvik/2.1.0/0 de_DE"],
         ["Accept-Encoding", "identity"],
         ["Host", "{host}"],
         ["Connection", "Keep-Alive"],
         ["Content-Length", "{length}"]],
        '{"name":"\\u003cÜnal \\u0026 co\\u003e"}',
        unsigned=ANDROID_UNSIGNED,
        saw={"event": {"name": "<Ünal & co>"}, "clientContext": ANDROID_CONTEXT},
    ),
    row(
        "android-invoker-2015", "the same as it came with the launch: its body has no type that JSON knows",
        [ANDROID + "services/lambda/model/transform/InvokeRequestMarshaller.java (1edc146)"],
        INVOKE,
        [["X-Amz-Target", "AWSLambda.Invoke"],
         ["X-Amz-Invocation-Type", "RequestResponse"],
         ["X-Amz-Log-Type", "None"],
         ["X-Amz-Client-Context", encoded(ANDROID_CONTEXT)],
         ["Content-Type", "binary/octet-stream"],
         ["User-Agent", "aws-sdk-android/2.2.5 Linux/3.4.0 Dalvik/2.1.0/0 de_DE"],
         ["Host", "{host}"],
         ["Connection", "Keep-Alive"],
         ["Content-Length", "{length}"]],
        '"Ünal"', unsigned=ANDROID_UNSIGNED,
        saw={"event": "Ünal", "clientContext": ANDROID_CONTEXT},
    ),
    row(
        "ios-invoker", "the AWS SDK for iOS's AWSLambdaInvoker; no id for retries, version name and code exchanged",
        [IOS + "AWSLambda/AWSLambdaInvoker.m (0e3a205)", IOS + "AWSCore/Service/AWSClientContext.m (2ff605a)",
         IOS + "AWSCore/Authentication/AWSSignature.m, signRequestV4 (00276fd)"],
        INVOKE,
        [["Host", "{host}"],
         ["Content-Type", "application/x-amz-json-1.1"],
         ["X-Amz-Invocation-Type", "RequestResponse"],
         ["X-Amz-Client-Context", encoded(IOS_CONTEXT)],
         ["User-Agent", "aws-sdk-iOS/2.6.0 iOS/10.2 de_DE invoker"],
         ["Accept", "*/*"],
         ["Accept-Language", "de-de"],
         ["Accept-Encoding", "gzip, deflate"],
         ["Connection", "keep-alive"],
         ["Content-Length", "{length}"]],
        '{"name":"Ünal"}',
        # What the system adds after the SDK has signed.
        unsigned=["accept", "accept-language", "accept-encoding", "connection", "content-length"],
        saw={"event": {"name": "Ünal"}, "clientContext": IOS_CONTEXT},
    ),
]


def text():
    about = "What SDKs send that cannot run in the tests. Made by tests/contract/make_client_vectors.py, which says how to play it."
    return json.dumps({"about": about, "vectors": ROWS}, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(text())
