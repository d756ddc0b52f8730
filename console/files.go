//go:build !lambda.norpc

package console

import "embed"

// brotli says that dist has files in this encoding too.
const brotli = true

//go:embed dist
var dist embed.FS
