package tables

import (
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Sizes of Pebble's memory. With two or three memtables, one of which is written
// to the disk, and the cache, the engine takes up to 50 MB.
const (
	memTableSize = 8 << 20
	cacheSize    = 32 << 20
	maxOpenFiles = 500
	// What is longer stands in files of values, which are not written again when
	// tables are merged: the data of events, as a rule.
	longValue = 400 // bytes
)

// separated is how Pebble keeps long values.
func separated() pebble.ValueSeparationPolicy {
	return pebble.ValueSeparationPolicy{
		Enabled: true, MinimumSize: longValue, MaxBlobReferenceDepth: 10, RewriteMinimumAge: 5 * time.Minute, TargetGarbageRatio: 0.3,
	}
}

// options are Pebble's. Its log is off: the engine's stands for it.
func options(disk vfs.FS, fatal func(format string, args ...any)) *pebble.Options {
	o := &pebble.Options{
		FS:           disk,
		DisableWAL:   true,
		MemTableSize: memTableSize,
		// The writer is told to wait only when two more are being written.
		MemTableStopWritesThreshold: 3,
		CacheSize:                   cacheSize,
		MaxOpenFiles:                maxOpenFiles,
		FormatMajorVersion:          pebble.FormatValueSeparation,
		Logger:                      logger(fatal),
	}
	o.Experimental.ReadSamplingMultiplier = -1 // no compaction because of reads
	o.Experimental.ValueSeparationPolicy = separated
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10) // most reads before a write find nothing
		o.Levels[i].Compression = snappy
	}
	return o
}

// snappy is how all tables are compressed: the others that Pebble knows are not in
// the program, see ../light.
func snappy() *sstable.CompressionProfile { return sstable.SnappyCompression }

// logger is Pebble's: nothing is said but what is fatal.
type logger func(format string, args ...any)

func (logger) Infof(string, ...any)                    {}
func (logger) Errorf(string, ...any)                   {}
func (fatal logger) Fatalf(format string, args ...any) { fatal(format, args...) }
