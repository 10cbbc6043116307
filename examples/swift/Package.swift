// swift-tools-version:5.9
//
// An app from the command line. One of your own names the repository's URL here instead of the path:
//     .package(url: "https://…/callgate.git", from: "0.1.0")

import PackageDescription

let package = Package(
    name: "callgate-example",
    platforms: [.macOS(.v12)],
    dependencies: [.package(name: "callgate", path: "../..")],
    targets: [
        .executableTarget(
            name: "CallgateExample",
            dependencies: [.product(name: "Callgate", package: "callgate")],
            path: "Sources"
        )
    ]
)
