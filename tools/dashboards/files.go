package dashboards

// Files are all that is written, by path from the repository's root.
func Files() (map[string][]byte, error) {
	rules, err := Rules()
	if err != nil {
		return nil, err
	}
	tests, err := Tests()
	if err != nil {
		return nil, err
	}
	all := map[string][]byte{"deploy/prometheus/rules.yaml": rules, "deploy/prometheus/tests.yaml": tests,
		"deploy/chart/k8guard/files/alerts.yaml": rules, "docs/operators/dashboards.md": Layout()}
	for _, b := range Boards() {
		if all["deploy/grafana/"+b.UID+".json"], err = b.JSON(); err != nil {
			return nil, err
		}
	}
	return all, nil
}
