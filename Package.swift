// swift-tools-version: 6.2
import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "swift-huey",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Pickle", targets: ["Pickle"]),
        .library(name: "Redis", targets: ["Redis"]),
        .library(name: "Huey", targets: ["Huey"]),
        .library(name: "HueyRedis", targets: ["HueyRedis"]),
        .library(name: "HueySQLite", targets: ["HueySQLite"]),
        .library(name: "HueyPostgres", targets: ["HueyPostgres"]),
        .library(name: "HueyStorageConformance", targets: ["HueyStorageConformance"]),
        .library(name: "HueyConsumer", targets: ["HueyConsumer"]),
        .library(name: "EduMFAQueue", targets: ["EduMFAQueue"]),
        .executable(name: "edumfa-queue-huey", targets: ["EduMFAQueueHuey"]),
        .executable(name: "huey", targets: ["HueyTool"]),
        .executable(name: "interop-worker", targets: ["InteropWorker"]),
    ],
    traits: [
        .trait(name: "Postgres", description: "HueyPostgres, and Postgres in the executables: needs libpq."),
        .default(enabledTraits: ["Postgres"]),
    ],
    dependencies: [
        .package(url: "https://github.com/attaswift/BigInt", from: "6.0.1"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.1.0"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CHiredis",
            providers: [.apt(["libhiredis-dev"]), .brew(["hiredis"])]
        ),
        .systemLibrary(
            name: "CLibpq",
            pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"]), .brew(["libpq"])]
        ),
        .systemLibrary(
            name: "CZlib",
            providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]
        ),
        .target(
            name: "Pickle",
            dependencies: [.product(name: "BigInt", package: "BigInt")],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "Transport",
            dependencies: [
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "Redis",
            dependencies: [
                "CHiredis", "Transport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "Huey",
            dependencies: [
                "CZlib", "Pickle",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Instrumentation", package: "swift-distributed-tracing"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "HueyRedis",
            dependencies: ["Huey", "Redis", .product(name: "Logging", package: "swift-log")],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "HueySQLite",
            dependencies: ["Huey", "Pickle", .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "HueyPostgres",
            dependencies: [
                .target(name: "CLibpq", condition: .when(traits: ["Postgres"])),
                "Huey", "Pickle",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(name: "HueyStorageConformance", dependencies: ["Huey", "Pickle"], swiftSettings: swiftSettings),
        .target(
            name: "HueyConsumer",
            dependencies: [
                "Huey",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "SMTP",
            dependencies: [
                "Transport",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "EduMFAQueue",
            dependencies: [
                "Huey", "HueyRedis", "Pickle", "Redis", "SMTP",
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
            ],
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "EduMFAQueueHuey",
            dependencies: [
                "EduMFAQueue", "Huey", "HueyConsumer", "HueyRedis", "Pickle", "Redis", "SMTP",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "ExampleWorker",
            dependencies: [
                "Huey", "HueyConsumer", "HueyRedis",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Examples/Worker",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "ExampleProducer",
            dependencies: ["Huey", "HueyRedis"],
            path: "Examples/Producer",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "ExampleEduMFA",
            dependencies: ["EduMFAQueue", "Pickle"],
            path: "Examples/EduMFA",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "ExamplePickle",
            dependencies: ["Pickle"],
            path: "Examples/Pickle",
            swiftSettings: swiftSettings
        ),
        .target(
            name: "ExampleStorage",
            dependencies: ["Huey", "Pickle"],
            path: "Examples/Storage",
            // As from another package: it has the public API alone.
            packageAccess: false,
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "QueueBench",
            dependencies: [
                "Huey", "HueyConsumer", "HueyRedis",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Benchmarks/Queue/QueueBench",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "WorkerFuzz",
            dependencies: [
                "EduMFAQueue", "Huey", "HueyConsumer", "HueyRedis", "Pickle", "Redis", "SMTP", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Benchmarks/Fuzz",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "HueyTool",
            dependencies: [
                "Huey", "HueyRedis", "Pickle",
                .target(name: "HueyPostgres", condition: .when(traits: ["Postgres"])),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "InteropWorker",
            dependencies: [
                "Huey", "HueyConsumer", "HueyRedis", "HueySQLite",
                .target(name: "HueyPostgres", condition: .when(traits: ["Postgres"])), "Pickle", "Redis",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "BigInt", package: "BigInt"),
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(name: "PickleTests", dependencies: ["Pickle"], swiftSettings: swiftSettings),
        .testTarget(
            name: "RedisTests",
            dependencies: [
                "Redis", "Transport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "TestSupport",
            dependencies: ["Huey", .product(name: "Logging", package: "swift-log")],
            path: "Tests/TestSupport",
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "HueyTests",
            dependencies: [
                "Huey", "HueyRedis", "Pickle", "TestSupport",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "HueyRedisTests",
            dependencies: [
                "ExampleStorage", "Huey", "HueyRedis", "HueySQLite", "HueyStorageConformance", "Pickle", "Redis",
                "TestSupport",
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "HueyPostgresTests",
            dependencies: ["Huey", "HueyPostgres", "HueyStorageConformance", "Pickle", "TestSupport"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "HueyConsumerTests",
            dependencies: [
                "Huey", "HueyConsumer", "HueyRedis", "Pickle", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "MailTestSupport",
            dependencies: [
                "TestSupport",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            path: "Tests/MailTestSupport",
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "SMTPTests",
            dependencies: [
                "MailTestSupport", "SMTP", "TestSupport", "Transport",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "EduMFAQueueTests",
            dependencies: [
                "EduMFAQueue", "Huey", "HueyRedis", "Pickle", "Redis", "SMTP", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(name: "DocumentationTests", swiftSettings: swiftSettings),
        .testTarget(
            name: "FixtureTests",
            dependencies: ["Huey", "Pickle", "TestSupport"],
            swiftSettings: swiftSettings
        ),
    ]
)
