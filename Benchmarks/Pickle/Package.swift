// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "pickle-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "swift-huey", path: "../..")],
    targets: [
        .executableTarget(
            name: "PickleFuzz",
            dependencies: [.product(name: "Pickle", package: "swift-huey")]
        )
    ]
)
