package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"slices"

	"k8s.io/client-go/rest"

	"github.com/k8guard/k8guard/internal/ledger"
)

// authorities is whom a cluster's API server was certified by, when it was last seen.
type authorities struct {
	SHA256 []string `json:"sha256"`
}

// authority refuses a cluster that has the identity of a known one and shares no certificate
// authority with it: a clone, restored from a snapshot, has the same UIDs. A renewal that
// hands out old and new together passes; any other a person names in cluster.authority.
func (in *instance) authority(ctx context.Context, uid, named string, c *rest.Config) error {
	now, err := fingerprints(c)
	if err != nil || len(now) == 0 { // the system's authorities: nothing to compare
		return err
	}
	var before []string
	known := false
	_, err = ledger.UpdateRecord(ctx, in.store, "authority/"+uid, func(a *authorities) (bool, error) {
		before = a.SHA256
		known = len(before) == 0 || slices.Contains(now, named) ||
			slices.ContainsFunc(before, func(sum string) bool { return slices.Contains(now, sum) })
		if !known || slices.Equal(before, now) {
			return false, nil
		}
		a.SHA256 = now
		return true, nil
	})
	if err == nil && !known {
		err = fmt.Errorf("cluster %s is certified by %s, and was by %s: it may be a clone of the one that is known; if it is not, write cluster.authority: %s",
			uid, now[0], before[0], now[0])
	}
	return err
}

// fingerprints are the SHA-256 sums of the certificates that a kubeconfig trusts.
func fingerprints(c *rest.Config) ([]string, error) {
	c = rest.CopyConfig(c)
	if err := rest.LoadTLSFiles(c); err != nil {
		return nil, fmt.Errorf("reading the authority of the API server: %w", err)
	}
	var sums []string
	for rest := c.CAData; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		sum := sha256.Sum256(block.Bytes)
		sums = append(sums, hex.EncodeToString(sum[:]))
	}
	slices.Sort(sums)
	return sums, nil
}
