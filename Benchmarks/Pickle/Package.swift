// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "pickle-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "swift-huey", path: "../.."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        .executableTarget(
            name: "PickleFuzz",
            dependencies: [.product(name: "Pickle", package: "swift-huey")]
        ),
        // `huey pickle` without the rest of the tool: the same sources, by links, so that what is timed is the same code.
        .executableTarget(
            name: "PickleTool",
            dependencies: [
                .product(name: "Pickle", package: "swift-huey"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
    ]
)
