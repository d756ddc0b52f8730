// Package minlz stands for github.com/minio/minlz where Pebble would call it for
// tables that are compressed so. Postino's are not: see engine/tables.
package minlz

import "errors"

var errMissing = errors.New("this program has no MinLZ")

// MaxBlockSize is the most that Pebble would compress at once.
const MaxBlockSize = 8 << 20

// The levels that Pebble names.
const (
	LevelFastest  = 1
	LevelBalanced = 2
)

// Encode returns an error.
func Encode(_, _ []byte, _ int) ([]byte, error) { return nil, errMissing }

// Decode returns an error.
func Decode(_, _ []byte) ([]byte, error) { return nil, errMissing }

// DecodedLen returns an error.
func DecodedLen([]byte) (int, error) { return 0, errMissing }
