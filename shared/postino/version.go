// Package postino names the release.
package postino

// Version is the release, as it stands in the user agent and in /healthz.
const Version = "0.1.0"
