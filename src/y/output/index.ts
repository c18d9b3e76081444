export { buildChart } from './build-chart.ts';
export type { BarChart, Chart, FlameChart, HistogramChart, LineChart, PieChart, TableChart } from './chart.ts';
export { drawChart, type DrawOptions } from './draw.ts';
export { drawHistogram, toHistogramRows } from './histogram.ts';
export { describeEnum } from './key-names.ts';
export { formatText, type PrintValue } from './printf.ts';
