package manage

import "testing"

// FuzzPlanPosition holds that a cursor's position in a plan, which anybody can
// make up, is a place that a plan can have or is refused.
func FuzzPlanPosition(f *testing.F) {
	for _, seed := range []string{"", "0", "-1", "12", "9223372036854775807", "99999999999999999999", "o", "odlv_", "o" + "dlv_00000000000000000000000000000000", "٣"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, position string) {
		n, after, err := planPosition(position)
		if err == nil && (n < -1 || n > maxPlan || n >= 0 && after != "") {
			t.Errorf("%q is taken for entry %d, behind %q", position, n, after)
		}
	})
}
