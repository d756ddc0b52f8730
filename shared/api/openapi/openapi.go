// Package openapi contains the API's OpenAPI 3.1 document, and an HTML page
// made from it.
//
// The description is written by hand in source/, by topic. Assembling it, which
// adds to every operation the answers that all of them share, and rendering the
// page are done by this package's test; see go:generate below. A program only
// carries the two finished files.
package openapi

import _ "embed" // the finished files

//go:generate go test -run TestFilesAreUpToDate -update .

// Document is the description as JSON.
//
//go:embed openapi.json
var Document []byte

// Page is the documentation: one HTML page that loads nothing else.
//
//go:embed docs.html
var Page []byte
