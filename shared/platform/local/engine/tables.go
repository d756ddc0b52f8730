package engine

import (
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
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

// openTables opens Pebble. Its log is off: ours stands for it.
func openTables(fs patientFS, dir string) (*pebble.DB, error) {
	options := &pebble.Options{
		FS:           fs,
		DisableWAL:   true,
		MemTableSize: memTableSize,
		// The writer is told to wait only when two more are being written.
		MemTableStopWritesThreshold: 3,
		CacheSize:                   cacheSize,
		MaxOpenFiles:                maxOpenFiles,
		FormatMajorVersion:          pebble.FormatValueSeparation,
		Logger:                      stern{fs.disk},
	}
	options.Experimental.ReadSamplingMultiplier = -1 // no compaction because of reads
	options.Experimental.ValueSeparationPolicy = separated
	for i := range options.Levels {
		options.Levels[i].FilterPolicy = bloom.FilterPolicy(10) // most reads before a write find nothing
	}
	return pebble.Open(dir, options)
}

// named says of damage that it is damage.
func named(err error) error {
	if pebble.IsCorruptionError(err) {
		return fmt.Errorf("it is damaged: restore a backup: %w", err)
	}
	return err
}

// stern ends the process when Pebble says that it cannot go on. The next start
// has everything that was acknowledged.
type stern struct{ disk *patience }

func (stern) Infof(string, ...any)  {}
func (stern) Errorf(string, ...any) {}

func (s stern) Fatalf(format string, args ...any) {
	if s.disk.isClosed() {
		return // a write to a disk that fails was given up
	}
	panic(fmt.Sprintf("the data cannot be written any more: start again when the disk is well: "+format, args...))
}
