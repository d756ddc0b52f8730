//go:build lambda.norpc

package console

import "embed"

// brotli is left out of functions: it would save a browser a tenth of a file that it
// keeps, and the zip of a function is read at each cold start.
const brotli = false

//go:embed dist/*.gz dist/assets/*.gz
var dist embed.FS
