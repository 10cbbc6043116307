// swift-tools-version:5.9
//
// The Swift package of this repository, at its root because apps add packages by a repository's URL. What it is made of
// lies in sdk-clients/swift; nothing but the system's own libraries is needed.

import PackageDescription

let folder = "sdk-clients/swift"
let settings: [SwiftSetting] = [.enableExperimentalFeature("StrictConcurrency")]

let package = Package(
    name: "callgate",
    platforms: [.iOS(.v15), .macOS(.v12), .tvOS(.v15)],
    products: [
        .library(name: "Callgate", targets: ["Callgate"]),
        .library(name: "CallgateTesting", targets: ["CallgateTesting"]),
    ],
    targets: [
        // zlib is part of Apple's systems and of every Linux: one code for both, and what is tested is what ships.
        .systemLibrary(
            name: "CallgateZlib",
            path: "\(folder)/Sources/CallgateZlib",
            providers: [.apt(["zlib1g-dev"])]
        ),
        .target(
            name: "Callgate",
            dependencies: ["CallgateZlib"],
            path: "\(folder)/Sources/Callgate",
            swiftSettings: settings
        ),
        .target(
            name: "CallgateTesting",
            dependencies: ["Callgate"],
            path: "\(folder)/Sources/CallgateTesting",
            swiftSettings: settings
        ),
        // A process that the outbox's tests kill.
        .executableTarget(
            name: "OutboxVictim",
            dependencies: ["Callgate"],
            path: "\(folder)/Tests/OutboxVictim",
            swiftSettings: settings
        ),
        .testTarget(
            name: "CallgateTests",
            dependencies: ["Callgate", "CallgateTesting", "OutboxVictim"],
            path: "\(folder)/Tests/CallgateTests",
            swiftSettings: settings
        ),
    ]
)
