// Package zstd stands for github.com/klauspost/compress/zstd where Pebble would
// call it for tables that are compressed so. Postino's are not: see engine/tables.
package zstd

import (
	"errors"
	"io"
)

var errMissing = errors.New("this program has no zstd")

// Encoder would compress.
type Encoder struct{}

// EncoderLevel is how much an encoder would compress.
type EncoderLevel int

// EOption would set up an encoder.
type EOption func(*Encoder) error

// EncoderLevelFromZstd returns the level of a number.
func EncoderLevelFromZstd(level int) EncoderLevel { return EncoderLevel(level) }

// WithEncoderLevel would set the level.
func WithEncoderLevel(EncoderLevel) EOption { return nil }

// NewWriter returns an error.
func NewWriter(io.Writer, ...EOption) (*Encoder, error) { return nil, errMissing }

// EncodeAll is never reached: there are no encoders.
func (*Encoder) EncodeAll(_, _ []byte) []byte { panic(errMissing) }

// Close does nothing.
func (*Encoder) Close() error { return nil }

// Decoder would decompress.
type Decoder struct{}

// DOption would set up a decoder.
type DOption func(*Decoder) error

// NewReader returns a decoder that refuses everything, since Pebble asks for no error.
func NewReader(io.Reader, ...DOption) (*Decoder, error) { return &Decoder{}, nil }

// DecodeAll returns an error.
func (*Decoder) DecodeAll(_, _ []byte) ([]byte, error) { return nil, errMissing }

// Close does nothing.
func (*Decoder) Close() {}
