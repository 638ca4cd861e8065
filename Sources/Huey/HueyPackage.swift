/// This package.
package enum HueyPackage {
    /// The version that `--version` prints.
    package static let version = "0.1.0"
}
