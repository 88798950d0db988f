/* The charts of a report: draws the page's data with uPlot. It knows nothing of rollouts. */
(() => {
  const { from, to, marks, charts } = JSON.parse(document.getElementById('data').textContent);
  const height = (chart) => (chart.steps ? 130 : 200);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const seconds = (ms) => ms / 1000;

  const utc = (at) => new Date(at * 1000).toISOString();

  /** A time on the axis, as fine as the page's span needs. */
  function clock(at) {
    const span = to - from;
    if (span < 5 * 60_000) return utc(at).slice(11, 19);
    return span < 36 * 3_600_000 ? utc(at).slice(11, 16) : utc(at).slice(5, 16).replace('T', ' ');
  }

  function shown(value, chart) {
    if (value === null || value === undefined) return '–';
    if (chart.unit === 'percent') return `${Number(value.toPrecision(value < 10 ? 2 : 3))} %`;
    if (chart.unit === 'odds') {
      const e = Math.exp(Math.min(value, 60));
      return `1 : ${e < 10 ? Number(e.toFixed(1)) : Math.round(e).toLocaleString('en')}`;
    }
    return String(Number(value.toPrecision(3)));
  }

  function lineOf(line, chart) {
    return {
      label: line.name,
      scale: 'y',
      stroke: () => colour(line.role),
      width: line.role === 'limit' ? 1.5 : 2,
      ...(line.role === 'limit' ? { dash: [6, 4] } : {}),
      ...(chart.steps ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
      ...(chart.steps ? { points: { show: false } } : {}),
      // Where nobody points at, the end.
      value: (_, value, __, at) => shown(at == null ? line.values.findLast((each) => each !== null) : value, chart),
    };
  }

  /** Where the weight changed: counts begin anew there. */
  function drawMarks(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = colour('soft');
    ctx.globalAlpha = 0.5;
    ctx.setLineDash([2, 4]);
    for (const mark of marks) {
      const x = plot.valToPos(seconds(mark), 'x', true);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  function draw(chart) {
    const place = document.getElementById(`chart-${chart.id}`);
    const axis = {
      stroke: () => colour('soft'),
      grid: { stroke: () => colour('rule'), width: 1 },
      ticks: { show: false },
    };
    const ticks = chart.ticks;
    const values = chart.lines.flatMap((line) => line.values).filter((value) => value !== null);
    const top = Math.max(...values, ...(ticks ?? []).map((tick) => tick.value));
    const plot = new uPlot(
      {
        width: place.clientWidth,
        height: height(chart),
        // Half a label of the time axis.
        padding: [10, 24, 0, 0],
        tzDate: (at) => uPlot.tzDate(new Date(at * 1000), 'Etc/UTC'),
        cursor: { sync: { key: 'time' }, drag: { x: false, y: false } },
        scales: {
          x: { time: true, range: [seconds(from), seconds(to)] },
          // Above the highest value there is room for the line's width.
          y: { range: [0, top > 0 ? top * 1.05 : 1] },
        },
        axes: [
          { ...axis, size: 30, values: (_, splits) => splits.map(clock) },
          {
            ...axis,
            scale: 'y',
            size: 72,
            ...(ticks === null
              ? { values: (_, splits) => splits.map((value) => shown(value, chart)) }
              : { splits: () => ticks.map((tick) => tick.value), values: () => ticks.map((tick) => tick.text) }),
          },
        ],
        series: [
          { label: 'Time', value: (_, at) => (at == null ? 'end' : `${utc(at).slice(11, 19)}`) },
          ...chart.lines.map((line) => lineOf(line, chart)),
        ],
        hooks: { drawAxes: [drawMarks] },
      },
      [chart.at.map(seconds), ...chart.lines.map((line) => line.values)],
      place,
    );
    return { plot, place, chart };
  }

  const drawn = charts.map(draw);
  addEventListener('resize', () => {
    for (const { plot, place, chart } of drawn) plot.setSize({ width: place.clientWidth, height: height(chart) });
  });
  // Colours are the page's, and it may turn dark, or to paper.
  for (const query of ['(prefers-color-scheme: dark)', 'print']) {
    matchMedia(query).addEventListener('change', () => {
      for (const { plot } of drawn) plot.redraw(false, true);
    });
  }
})();
