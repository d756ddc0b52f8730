// Package sdk proves that the SDKs in sdk/ work as packages: its tests pack
// each, install it from the package into an empty folder, and run there the
// quick start and the tests of docs/testing-your-code.md.
package sdk
