package tables

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// The program has no other compression: see ../light.
func TestEveryLevelIsCompressedWithSnappy(t *testing.T) {
	o := options(vfs.NewMem(), t.Fatalf)
	o.EnsureDefaults()
	for level := range o.Levels {
		if name := o.Levels[level].Compression().Name; name != "Snappy" {
			t.Errorf("level %d is compressed with %s, want Snappy", level, name)
		}
	}
	if policy, _, err := o.Experimental.SpanPolicyFunc(nil); err != nil || policy.PreferFastCompression {
		t.Errorf("some keys are compressed with what is fastest (%v), want Snappy for all", err)
	}
}
